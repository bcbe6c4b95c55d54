package lab

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// hostEnvironment is what a command inside a host starts with: nothing of ours.
func hostEnvironment() []string {
	env := []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "USER=root", "LOGNAME=root", "LANG=C.UTF-8"}
	if term := os.Getenv("TERM"); term != "" {
		env = append(env, "TERM="+term)
	}
	return env
}

// Exec runs a command in a host as root, without ssh, in a clean environment,
// and waits for it. Any of stdin, stdout and stderr may be nil. The error of a command that
// ran and failed wraps an *exec.ExitError with its code. When ctx ends, the
// command is killed.
func (l *Lab) Exec(ctx context.Context, host string, stdin io.Reader, stdout, stderr io.Writer, argv ...string) error {
	if len(argv) == 0 {
		return fmt.Errorf("run in %s: no command", host)
	}
	h, err := l.host(host)
	if err != nil {
		return err
	}
	pid := leader(l.hostGroup(h.Name))
	if pid == 0 {
		return fmt.Errorf("run %s in %s: the host is off", argv[0], host)
	}
	args := append([]string{"--target", strconv.Itoa(pid), "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--"}, argv...)
	cmd := exec.CommandContext(ctx, "nsenter", args...)
	cmd.Env = hostEnvironment()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, stderr
	cmd.Cancel = func() error { return killFamily(cmd.Process.Pid) }
	cmd.WaitDelay = 2 * time.Second
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("run %s in %s: %w", argv[0], host, err)
	}
	return nil
}

// Output is [Lab.Exec] with no input; it returns what the command printed, also
// when it failed. The error then ends with what it said on standard error.
func (l *Lab) Output(ctx context.Context, host string, argv ...string) (string, error) {
	var out, errs bytes.Buffer
	err := l.Exec(ctx, host, nil, &out, &errs, argv...)
	if said := strings.TrimSpace(errs.String()); err != nil && said != "" {
		err = fmt.Errorf("%w: %s", err, said)
	}
	return out.String(), err
}

// Command prepares a command of this machine to run in the lab's network, from
// where all its hosts can be reached at their addresses and which has no way out.
// The caller sets its input, output and environment and runs it.
func (l *Lab) Command(ctx context.Context, argv ...string) *exec.Cmd {
	return exec.CommandContext(ctx, "nsenter", inLabNetwork(l.record.Name, argv)...)
}

func inLabNetwork(lab string, argv []string) []string {
	return append([]string{"--net=" + netnsPath(labNetns(lab)), "--"}, argv...)
}

// SSH prepares the ordinary ssh client with the lab's keys and known hosts. The
// words of argv reach a shell on the host, as ssh(1) does it; without any it is a login.
func (l *Lab) SSH(ctx context.Context, host string, argv ...string) (*exec.Cmd, error) {
	if _, err := l.host(host); err != nil {
		return nil, err
	}
	args := append([]string{"-F", l.SSHConfig(), host}, argv...)
	return exec.CommandContext(ctx, "ssh", args...), nil
}

// killFamily ends what nsenter runs: it forks to enter the pids of a host, waits
// for the child and does not pass signals on.
func killFamily(pid int) error {
	body, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	children := strings.Fields(string(body))
	if len(children) == 0 {
		return syscall.Kill(pid, syscall.SIGKILL) // it has not forked yet
	}
	for _, child := range children {
		if n, err := strconv.Atoi(child); err == nil {
			_ = syscall.Kill(n, syscall.SIGKILL)
		}
	}
	return nil
}
