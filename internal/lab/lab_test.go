package lab

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// The tests of this file start real labs. They need root and the programs that
// Up asks for, and use labs whose names begin with test-lab.

func TestMain(m *testing.M) {
	if child(os.Args[1:]) { // see child_test.go
		return
	}
	os.Exit(m.Run())
}

// needRoot skips a test where no lab can run.
func needRoot(t *testing.T) {
	t.Helper()
	if err := require((ImageOptions{}).built(), true); err != nil {
		t.Skip("skipped: ", err)
	}
}

func startLab(t *testing.T, o Options) *Lab {
	t.Helper()
	needRoot(t)
	if left := leftovers(o.Name); len(left) > 0 {
		t.Logf("removing what an earlier run left: %v", left)
	}
	if err := Down(t.Context(), o.Name); err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable() // this test stands in for kinectl, see child
	if err != nil {
		t.Fatal(err)
	}
	o.Program = program
	began := time.Now()
	l, err := Up(t.Context(), o, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d hosts up in %.1f s", o.Hosts, time.Since(began).Seconds())
	t.Cleanup(func() {
		if err := Down(context.Background(), o.Name); err != nil {
			t.Error(err)
		}
		if left := leftovers(o.Name); len(left) > 0 {
			t.Errorf("left behind by %s:\n%s", o.Name, strings.Join(left, "\n"))
		}
	})
	if len(leftovers(o.Name)) < 5 {
		t.Error("a running lab leaves no trace: the check for remains cannot fail")
	}
	return l
}

func output(t *testing.T, l *Lab, host string, argv ...string) string {
	t.Helper()
	out, err := l.Output(t.Context(), host, argv...)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return strings.TrimSpace(out)
}

// run runs a command of this machine and returns its output and exit code.
func run(t *testing.T, cmd *exec.Cmd) (string, int) {
	t.Helper()
	out, err := cmd.CombinedOutput()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out)), cmd.ProcessState.ExitCode()
}

func TestLab(t *testing.T) {
	l := startLab(t, Options{
		Name: "test-lab", Hosts: 2, Groups: []string{"applications", "cdn"},
		Vars:    map[string]any{"greeting": "hello"},
		Files:   map[string]File{"/srv/given/file": {0o640, []byte("given\n")}},
		Service: []string{"python3", "-m", "http.server", "--bind", Gateway, "--directory", "/etc/apt", "8123"},
	})
	t.Run("exec", func(t *testing.T) { testExec(t, l) })
	t.Run("host", func(t *testing.T) { testHost(t, l) })
	t.Run("limits", func(t *testing.T) { testLimits(t, l) })
	t.Run("access", func(t *testing.T) { testAccess(t, l) })
	t.Run("ansible", func(t *testing.T) { testAnsible(t, l) })
	t.Run("again", func(t *testing.T) { testUpAgain(t, l) })
	t.Run("power cut", func(t *testing.T) { testPowerCut(t, l) })
	t.Run("two labs", func(t *testing.T) { testTwoLabs(t, l) })
	t.Run("degraded", func(t *testing.T) { testDegraded(t, l) })
	t.Run("reboot", func(t *testing.T) { testReboot(t, l) })
}

func testExec(t *testing.T, l *Lab) {
	var out, errs bytes.Buffer
	err := l.Exec(t.Context(), "h1", strings.NewReader("in"), &out, &errs, "sh", "-c", `cat; echo "$HOME" "$SECRET" >&2; exit 7`)
	var e *exec.ExitError
	if !errors.As(err, &e) || e.ExitCode() != 7 || out.String() != "in" || errs.String() != "/root \n" {
		t.Errorf("%v, %q, %q", err, out.String(), errs.String())
	}
	if _, err := l.Output(t.Context(), "h9", "true"); err == nil || !strings.Contains(err.Error(), "it has h1 to h2") {
		t.Error(err)
	}
	if _, err := l.Output(t.Context(), "h1", "sh", "-c", "echo the reason >&2; false"); err == nil || !strings.Contains(err.Error(), "the reason") {
		t.Error(err)
	}
	// A command that is given up must not live on inside the host.
	ctx, cancel := context.WithCancel(t.Context())
	out.Reset()
	began := make(chan struct{})
	go func() { <-began; cancel() }()
	if err := l.Exec(ctx, "h1", nil, firstWrite(began), nil, "sh", "-c", "echo; exec sleep 4711"); err == nil {
		t.Error("a cancelled command succeeded")
	}
	if out, _ := l.Output(t.Context(), "h1", "pgrep", "-f", "sleep 4711"); out != "" {
		t.Error("still there:", out)
	}
}

// firstWrite is a writer that closes itself as a channel when it is first used.
type firstWrite chan struct{}

func (w firstWrite) Write(p []byte) (int, error) { close(w); return len(p), nil }

func testHost(t *testing.T, l *Lab) {
	f := func(want string, argv ...string) {
		t.Helper()
		if got := output(t, l, "h1", argv...); got != want {
			t.Errorf("%v: %q, want %q", argv, got, want)
		}
	}
	f("h1", "hostname")
	f("running", "systemctl", "is-system-running")
	f("systemd", "cat", "/proc/1/comm")
	f("given", "cat", "/srv/given/file")
	f("640 root", "stat", "-c", "%a %U", "/srv/given/file")
	f("Debian GNU/Linux 12 (bookworm)", "sh", "-c", `. /etc/os-release; echo "$PRETTY_NAME"`)
	f("", "ip", "route", "show", "default")
	f("from the second source", "sh", "-ec", "apt-get update -q >/dev/null 2>&1; apt-get install -qy lab-second >/dev/null 2>&1; cat /usr/share/lab-second/note")
	f("1: lo: eth0:", "sh", "-c", `echo 1: $(ip -o link | sed 's/^[0-9]*: \([a-z0-9]*\).*/\1:/')`)
	f("200", "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "http://lab:8123/") // Options.Service
	if a, b := output(t, l, "h1", "cat", "/etc/machine-id"), output(t, l, "h2", "cat", "/etc/machine-id"); a == b || len(a) != 32 {
		t.Errorf("machine ids %q and %q", a, b)
	}
	if out, err := l.Output(t.Context(), "h1", "nft", "add", "table", "inet", "t"); err != nil {
		t.Errorf("nftables: %v %s", err, out)
	}
	for _, s := range l.Status(t.Context()) {
		if s.State != "running" || s.Leader == 0 || s.Memory < 1<<20 {
			t.Errorf("status %+v", s)
		}
	}
}

// testLimits shows that what a unit asks for is enforced and not only accepted.
func testLimits(t *testing.T, l *Lab) {
	unit := func(argv ...string) (string, error) {
		return l.Output(t.Context(), "h1", append([]string{"systemd-run", "--quiet", "--wait", "--pipe"}, argv...)...)
	}
	eat := []string{"python3", "-c", "x = bytearray(150 << 20); print('ate')"}
	if out, err := unit(append([]string{"-p", "MemoryMax=400M"}, eat...)...); err != nil || out != "ate\n" {
		t.Errorf("within its memory: %q %v", out, err)
	}
	if out, err := unit(append([]string{"-p", "MemoryMax=40M", "-p", "MemorySwapMax=0"}, eat...)...); err == nil || out != "" {
		t.Errorf("a service over its MemoryMax was not killed: %q %v", out, err)
	}
	if journal := output(t, l, "h1", "journalctl", "--no-pager", "-n", "20"); !strings.Contains(journal, "status=9/KILL") {
		t.Errorf("the journal does not tell of the kill:\n%s", journal)
	}
	forks := []string{"python3", "-c", "import subprocess as s; p=[s.Popen(['sleep','5']) for _ in range(9)]; print('forked'); [q.kill() for q in p]"}
	if out, err := unit(forks...); err != nil || out != "forked\n" {
		t.Errorf("without a bound on tasks: %q %v", out, err)
	}
	if out, err := unit(append([]string{"-p", "TasksMax=5"}, forks...)...); err == nil {
		t.Errorf("a service over its TasksMax went on: %q", out)
	}
	greet := []string{"timeout", "2", "python3", "-c", "import socket; print(socket.create_connection(('127.0.0.1',22)).recv(4))"}
	if out, err := unit(greet...); err != nil || !strings.Contains(out, "SSH-") {
		t.Errorf("connect: %q %v", out, err)
	}
	if out, err := unit(append([]string{"-p", "IPAddressDeny=any"}, greet...)...); err == nil {
		t.Errorf("IPAddressDeny=any let a connection through: %q", out)
	}
	if out, err := unit("-p", "DynamicUser=yes", "-p", "ProtectSystem=strict", "-p", "PrivateUsers=yes", "-p", "SystemCallFilter=@system-service",
		"-p", "StateDirectory=box", "sh", "-c", "touch /var/lib/box/x && ! touch /etc/x 2>/dev/null && id -u"); err != nil || strings.TrimSpace(out) == "0" {
		t.Errorf("a sandbox: %q %v", out, err)
	}
	if s := l.Status(t.Context())[0]; s.State != "degraded" {
		t.Errorf("after units that failed: %+v", s)
	}
	output(t, l, "h1", "systemctl", "reset-failed")
}
