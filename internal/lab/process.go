package lab

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// leader finds a host's PID 1: the process of its group that is number 1 in a
// namespace of its own. 0 means that the host is off.
func leader(g group) int {
	for _, pid := range g.processes() {
		if numberInHost(pid) == "1" {
			return pid
		}
	}
	return 0
}

// numberInHost is what a process is called inside its host; empty for one outside,
// or that has ended.
func numberInHost(pid int) string {
	body, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return ""
	}
	return readNumberInHost(string(body))
}

// readNumberInHost reads /proc/PID/status: "NSpid: 4711 1" is PID 1 one namespace
// down, and a process of a sandbox inside the host has three numbers.
func readNumberInHost(status string) string {
	for line := range strings.Lines(status) {
		if numbers, ok := strings.CutPrefix(line, "NSpid:"); ok {
			if f := strings.Fields(numbers); len(f) > 1 {
				return strings.Join(f[1:], " ")
			}
		}
	}
	return ""
}

// joinGroup is a shell program: it moves itself into the groups before the
// "--", lets go of the lock and the pipe on descriptors 3 and 4, and becomes what
// follows.
const joinGroup = `while [ "$1" != -- ]; do echo $$ >"$1/cgroup.procs" || exit 125; shift; done; shift; exec 3>&- 4>&- "$@"`

// startIn starts a process that outlives us, in a group of its own, its output
// going to a log file. It returns when the child is in the group. Should we be
// killed before, the child holds the lock until then: who finds the lock free
// can be sure to find the child. The caller must wait for the process, lest it
// stays a zombie while we live.
func startIn(g group, l *lock, logPath string, argv ...string) (*exec.Cmd, error) {
	log, err := os.OpenFile(logPath, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	args := append([]string{"-c", joinGroup, "sh"}, g.dirs()...)
	cmd := exec.Command("/bin/sh", append(append(args, "--"), argv...)...)
	cmd.Stdout, cmd.Stderr = log, log
	joined, child, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer joined.Close()
	cmd.ExtraFiles = []*os.File{l.file, child}
	cmd.SysProcAttr = ownSession()
	err = cmd.Start()
	child.Close()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", argv[0], err)
	}
	_, _ = joined.Read(make([]byte, 1)) // its end
	return cmd, nil
}

// tail returns the last lines of a log file, for an error message.
func tail(path string, lines int) string {
	body, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(body)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
