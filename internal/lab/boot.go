package lab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	bootTimeout = 2 * time.Minute // 50 hosts on two busy cores need a part of it
	bootPoll    = 20 * time.Millisecond
)

// ErrDegraded is wrapped by the error for a host that has booted, and whose sshd
// answers, but with units that failed. The error names them.
var ErrDegraded = errors.New("booted, but not well")

// Boot starts a host that is off, on the disk that it had, and returns when it
// is up: systemd is running and sshd answers. A host that is on stays as it is.
// A host that is up but degraded stays on, for a look at it.
func (l *Lab) Boot(ctx context.Context, host string) error {
	lock, err := lockLab(ctx, l.record.Name, newProgress(nil))
	if err != nil {
		return err
	}
	defer lock.release()
	h, err := l.host(host)
	if err != nil {
		return err
	}
	return l.boot(ctx, h, lock)
}

// PowerCut ends a host as a pulled plug does: SIGKILL of its PID 1, without a
// word to the processes in it, which are all stopped before, so that none sees another
// one's end. It returns when none of them is left. Page cache and disk
// survive, so this does not test what a program has synced.
func (l *Lab) PowerCut(ctx context.Context, host string) error {
	h, err := l.host(host)
	if err != nil {
		return err
	}
	g := l.hostGroup(h.Name)
	pid := leader(g)
	if pid == 0 {
		return fmt.Errorf("cut the power of %s: it is off", host)
	}
	g.freeze(pid)
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		return fmt.Errorf("cut the power of %s: %w", host, err)
	}
	if err := g.drain(ctx, 30*time.Second, func([]int) {}); err != nil {
		return fmt.Errorf("cut the power of %s: %w", host, err)
	}
	return nil
}

func (l *Lab) boot(ctx context.Context, h Host, lock *lock) error {
	g := l.hostGroup(h.Name)
	if leader(g) != 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, bootTimeout)
	defer cancel()
	// What the boot before left: a supervisor without a host, empty groups.
	if err := errors.Join(g.kill(ctx), g.remove(), g.create()); err != nil {
		return fmt.Errorf("boot %s: %w", h.Name, err)
	}
	console := filepath.Join(l.hostDir(h.Name), "console.log")
	nspawn, err := startIn(g, lock, console, l.nspawn(h)...)
	if err != nil {
		return fmt.Errorf("boot %s: %w", h.Name, err)
	}
	exited := make(chan error, 1)
	go func() { exited <- nspawn.Wait() }()
	ready := make(chan error, 1)
	go func() { ready <- l.awaitReady(ctx, h) }()
	select {
	case err = <-ready:
	case err = <-exited:
		cancel()
		<-ready
		err = fmt.Errorf("systemd-nspawn ended early (%v)", err)
	}
	if errors.Is(err, ErrDegraded) {
		return fmt.Errorf("boot %s: %w", h.Name, err)
	}
	if err != nil {
		return fmt.Errorf("boot %s: %w\nlast lines of its console:\n%s", h.Name, err, tail(console, 8))
	}
	return nil
}

// nspawn is the command line of a host, see systemd-nspawn(1). lab-init, of the
// base image, makes the machine's cgroup v1 controllers writable and becomes systemd.
func (l *Lab) nspawn(h Host) []string {
	return []string{
		"systemd-nspawn", "--quiet", "--settings=no", "--register=no", "--keep-unit",
		"--directory=" + filepath.Join(l.hostDir(h.Name), "root"),
		"--machine=" + hostNetns(l.record.Name, h.Name), // names files under /run/systemd/nspawn
		"--network-namespace-path=" + netnsPath(hostNetns(l.record.Name, h.Name)),
		"--capability=CAP_NET_ADMIN", // for nftables inside
		"--system-call-filter=bpf",   // for IPAddressDeny= and the like in units; without, they are ignored
		"--kill-signal=SIGRTMIN+3",   // what systemd as PID 1 takes for "halt"
		"--link-journal=no", "--resolv-conf=off", "--timezone=off", "--console=pipe",
		"/usr/local/sbin/lab-init",
	}
}

// awaitReady returns when the host has booted without a failed unit and its
// sshd greets.
func (l *Lab) awaitReady(ctx context.Context, h Host) error {
	g := l.hostGroup(h.Name)
	if err := poll(ctx, "its systemd does not answer", func() bool {
		pid := leader(g)
		_, err := os.Lstat(fmt.Sprintf("/proc/%d/root/run/systemd/private", pid))
		return pid != 0 && err == nil
	}); err != nil {
		return err
	}
	var state string
	if err := poll(ctx, "it does not finish booting", func() bool {
		out, err := l.Output(ctx, h.Name, "systemctl", "is-system-running", "--wait")
		state = strings.TrimSpace(out)
		return err == nil || state == "degraded" || state == "maintenance"
	}); err != nil {
		return err
	}
	if err := poll(ctx, "its sshd does not answer", func() bool { return l.greets(ctx, h) }); err != nil {
		return err
	}
	if state != "running" {
		failed, _ := l.Output(ctx, h.Name, "systemctl", "list-units", "--failed", "--plain", "--no-legend", "--no-pager")
		return fmt.Errorf("%w: it is %s, failed units: %s", ErrDegraded, state, unitNames(failed))
	}
	return nil
}

func (l *Lab) greets(ctx context.Context, h Host) bool {
	conn, err := dialIn(ctx, net.Dialer{Timeout: time.Second}, labNetns(l.record.Name), net.JoinHostPort(h.Address, "22"))
	if err != nil {
		return false
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(2 * time.Second))
	line, err := bufio.NewReader(conn).ReadString('\n')
	return err == nil && strings.HasPrefix(line, "SSH-2.0-")
}

// unitNames takes the first word of every line.
func unitNames(list string) string {
	var names []string
	for line := range strings.Lines(list) {
		if f := strings.Fields(line); len(f) > 0 {
			names = append(names, f[0])
		}
	}
	return strings.Join(names, ", ")
}

// poll asks until the answer is yes or ctx ends.
func poll(ctx context.Context, otherwise string, ask func() bool) error {
	for !ask() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", otherwise, ctx.Err())
		case <-time.After(bootPoll):
		}
	}
	return nil
}
