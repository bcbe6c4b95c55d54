package release

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/kinectl/kinectl/internal/artifact"
)

//go:embed kinectl.py
var callback []byte

// errHosts says that Ansible ended well but a host did not; which and why is in
// the events.
var errHosts = errors.New("a host failed")

// runPlaybook writes files into a folder of its own, runs the first of them
// with ansible-playbook, and calls each for every event in order. Ansible's
// output goes to log. It returns when Ansible has ended; the error is errHosts
// when its exit code only says that a host failed.
//
// When ctx ends, Ansible is interrupted as Ctrl-C would do it and waited for.
// A host that is in the middle of its transaction finishes it alone.
func runPlaybook(ctx context.Context, o Options, files []artifact.File, log *os.File, each func(line)) (err error) {
	program, err := ansibleProgram("ansible-playbook")
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "kinectl-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	playbook, err := writePlaybook(dir, files)
	if err != nil {
		return err
	}
	// A short path, whatever $TMPDIR is: a socket's may have 108 letters (unix(7)), on macOS 104.
	sockets, err := os.MkdirTemp("/tmp", "kinectl-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(sockets)
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	defer read.Close()
	// The connections are closed below, however the run ends. A play of no hosts costs
	// nothing; one whose tasks are skipped costs some milliseconds for each.
	args := []string{
		"-i", o.Infra.Inventory, "--forks", "50", "--skip-tags", strings.Join(append([]string{"limited"}, o.skip...), ","),
		"--extra-vars", "ansible_control_path_dir=" + sockets, "--extra-vars", "kinectl_cleanup=" + nobody, playbook,
	}
	if o.selected != nil {
		chosen, err := json.Marshal(o.selected)
		if err != nil {
			return err
		}
		args = append(args, "--extra-vars", string(chosen))
	}
	if o.Limit != "" {
		args = append(args, "--limit", o.Limit)
	}
	if o.Check {
		args = append(args, "--check")
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = o.Infra.Dir
	cmd.Env = append(os.Environ(), "KINECTL_EVENTS=3", "ANSIBLE_CALLBACKS_ENABLED=kinectl",
		"ANSIBLE_CALLBACK_PLUGINS="+dir, "KINECTL_SOCKETS="+sockets, "KINECTL_SERVICE="+o.service,
		"KINECTL_CONFIGURATION="+o.Infra.state,
		"ANSIBLE_RETRY_FILES_ENABLED=False", "ANSIBLE_NOCOLOR=1", "ANSIBLE_LOCALHOST_WARNING=False")
	if readSettings(o.Infra.Dir)["ssh_connection.ssh_extra_args"] == "" {
		// A host that loses its power says nothing: notice it within half a minute.
		cmd.Env = append(cmd.Env, "ANSIBLE_SSH_EXTRA_ARGS=-o ServerAliveInterval=10 -o ServerAliveCountMax=3")
	}
	if !o.Watched {
		cmd.Env = append(cmd.Env, "KINECTL_STEPS_AFTER=10")
	}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{write}
	// A group of its own, so that Ctrl-C comes to it once, from us.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		write.Close()
		return err
	}
	write.Close()
	defer closeConnections(sockets)
	told := &events{pipe: read}
	ended := make(chan error, 1)
	go func() {
		err := cmd.Wait()
		told.end()
		ended <- err
	}()
	told.each(each)
	err = <-ended
	var exit *exec.ExitError
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	// ansible-playbook exits 2 when a host failed and 4 when one was unreachable.
	if errors.As(err, &exit) && (exit.ExitCode() == 2 || exit.ExitCode() == 4) {
		return errHosts
	}
	if err != nil {
		return fmt.Errorf("ansible-playbook: %w%s", err, complaint(log.Name()))
	}
	return nil
}

// ansibleProgram finds one of Ansible's programs.
func ansibleProgram(name string) (string, error) {
	program, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%s is not on this machine: install it with `apt-get install ansible-core`", name)
	}
	return program, nil
}

// complaint is what Ansible itself called an error, from its output.
func complaint(log string) string {
	body, _ := os.ReadFile(log)
	for text := range strings.Lines(string(body)) {
		if said, ok := strings.CutPrefix(text, "ERROR! "); ok {
			return ": " + strings.TrimSpace(said)
		}
	}
	return "; its output is in " + log
}

// writePlaybook puts files and the callback plugin into dir and returns the
// path of the first file.
func writePlaybook(dir string, files []artifact.File) (string, error) {
	if err := os.WriteFile(filepath.Join(dir, "kinectl.py"), callback, 0o600); err != nil {
		return "", err
	}
	for _, f := range files {
		path := filepath.Join(dir, filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return "", err
		}
		if err := os.WriteFile(path, f.Body, f.Mode); err != nil {
			return "", err
		}
	}
	return filepath.Join(dir, filepath.FromSlash(files[0].Path)), nil
}
