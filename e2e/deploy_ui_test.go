package e2e

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// onTerminal runs kinectl on a terminal of its own, with what a person types.
func (f *fixture) onTerminal(t *testing.T, typed string, argv ...string) (string, int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	line := f.kinectl
	for _, a := range argv {
		line += " '" + a + "'"
	}
	cmd := exec.CommandContext(ctx, "script", "-qec", "stty cols 70 rows 10; "+line, "/dev/null")
	cmd.Stdin = strings.NewReader(typed)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// On a terminal a deploy asks, and shows each host in work on a line that it
// draws anew, with its step; in a pipe there is one line for each host.
func TestDeployOnTerminal(t *testing.T) {
	f := road
	f.deploy(t, 0, first, "--serial", "100%")
	out, code := f.onTerminal(t, "n\n", f.fleet("deploy", slow)...)
	contains(t, out, "Deploy hello 5.0.0 to lab (4 hosts)? [y/N]", "nothing was done")
	if code != 1 || strings.Contains(out, "error:") {
		t.Errorf("no: exit code %d\n%s", code, out)
	}
	f.runs(t, "h1", first)

	out, code = f.onTerminal(t, "y\n", f.fleet("deploy", slow, "--serial", "2")...)
	if code != 0 {
		t.Fatalf("yes: exit code %d\n%s", code, out)
	}
	contains(t, out, "\x1b[2A\r\x1b[J", "h2          is healthy, settles …", "h1          1.0.0 → 5.0.0, healthy", "hello 5.0.0: 4 deployed")
	for line := range strings.Lines(out) {
		if strings.Contains(line, " … ") && !strings.Contains(line, "[y/N]") && len([]rune(strings.TrimRight(line, "\r\n"))) > 70+len("\x1b[2A\r\x1b[J") {
			t.Errorf("a line in work is longer than the terminal: %q", line)
		}
	}

	out = f.deploy(t, 0, first, "--serial", "100%")
	if strings.Contains(out, "\x1b") || strings.Contains(out, "y/N") {
		t.Errorf("a terminal's words in a pipe: %q", out)
	}
	contains(t, out, "\n  prepare ", "\n  deploy      4 hosts", "\n  cleanup ")
	if n := strings.Count(out, "5.0.0 → 1.0.0, healthy"); n != 4 {
		t.Errorf("%d lines for four hosts:\n%s", n, out)
	}

	out, code = f.onTerminal(t, "n\n", f.fleet("deploy", second, "--limit", "h1", "--yes")...)
	if code != 0 || strings.Contains(out, "y/N") {
		t.Errorf("--yes: exit code %d\n%s", code, out)
	}
	f.runs(t, "h1", second)
}

// A host that is down stops a deploy before anything has changed, or is left
// out when that is asked for, and named everywhere.
func TestSkipUnreachable(t *testing.T) {
	f := road
	f.deploy(t, 0, first, "--serial", "100%")
	f.sh(t, "h2", `systemctl stop ssh.socket ssh.service`)
	up := func() { f.sh(t, "h2", `systemctl start ssh.service`) }
	defer up()
	out := f.deploy(t, 1, second)
	contains(t, out, "h2          unreachable", "not touched h1 h3 h4", "hello 1.1.0: 1 unreachable, 3 not touched")
	f.runs(t, "h1", first)

	out = f.deploy(t, 0, second, "--skip-unreachable", "--serial", "100%")
	contains(t, out, "h2          unreachable, left out (--skip-unreachable)", "3 deployed, 1 skipped, unreachable (h2)")
	f.runs(t, "h1", second)
	out, code := f.run(t, f.fleet("deploy", second, "--skip-unreachable", "--json")...)
	contains(t, out, `"skipped": [`, `"h2"`)
	if code != 0 {
		t.Errorf("--json: exit code %d", code)
	}

	// A rollback too goes on without it.
	out, code = f.run(t, f.fleet("rollback", "", "--skip-unreachable")...)
	contains(t, out, "3 restored, 1 skipped, unreachable (h2)")
	if code != 0 {
		t.Errorf("rollback: exit code %d\n%s", code, out)
	}
	up()
	for _, h := range hosts {
		f.runs(t, h, first)
	}
}

// A failure tells the last log lines of the host, the count, and the commands
// to read more with.
func TestDeployTellsFailure(t *testing.T) {
	f := road
	f.deploy(t, 0, first, "--limit", "h1,h2")
	out := f.deploy(t, 3, broken, "--limit", "h1,h2")
	contains(t, out, "1.0.0 → 1.2.0 failed, rolled back: 1.0.0 again", "got 500, not 200", "| ", "not touched h2",
		"hello 1.2.0: 1 rolled-back, 1 not touched", "more of h1: kinectl logs --file ", "--limit h1", "hint: Ansible's output: ")
	_, next, _ := strings.Cut(out, "more of h1: kinectl ")
	next, _, _ = strings.Cut(next, "\n")
	said, err := exec.Command("sh", "-c", f.kinectl+" "+next+" --lines 50").CombinedOutput()
	if err != nil || !strings.Contains(string(said), "hello 1.2.0") {
		t.Errorf("kinectl %s: %v\n%s", next, err, said)
	}
}
