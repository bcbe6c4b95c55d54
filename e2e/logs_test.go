package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The journal of all hosts, in the order of time; what is followed; a host that
// goes and comes back.
func TestLogs(t *testing.T) {
	f := road
	f.deploy(t, 0, first, "--limit", "h1,h2")
	since := f.sh(t, "h1", `date +'%Y-%m-%d %H:%M:%S.%6N'`) // not a whole second, in which the deploy has started it
	for _, h := range []string{"h1", "h2", "h1"} {
		f.sh(t, h, `systemctl restart hello`)
	}
	argv := func(more ...string) []string {
		return append([]string{"logs", "--file", f.spec(first), "--infra", f.infra, "--env", "lab", "--limit", "h1,h2"}, more...)
	}
	logs := func(code int, more ...string) string {
		t.Helper()
		out, got := f.run(t, argv(more...)...)
		if got != code {
			t.Fatalf("logs %v: exit code %d, want %d\n%s", more, got, code, out)
		}
		return out
	}
	hosts := func(out string) string {
		var all []string
		for line := range strings.Lines(out) {
			all = append(all, strings.Fields(line)[0])
		}
		return strings.Join(all, " ")
	}
	if got := hosts(logs(0, "--since", since, "--grep", "^Started hello")); got != "h1 h2 h1" {
		t.Errorf("the hosts of three starts: %s", got)
	}
	if got := hosts(logs(0, "--since", "1h", "-n", "2", "--grep", "^Started hello")); got != "h2 h1" {
		t.Errorf("the hosts of the last two starts: %s", got)
	}
	if got := logs(0, "--grep", "there is no such line"); got != "" {
		t.Errorf("what no line matches: %s", got)
	}
	var entry struct{ Host, MESSAGE string }
	if err := json.Unmarshal([]byte(logs(0, "-n", "1", "--grep", "^Started hello", "--json")), &entry); err != nil || entry.Host != "h1" || !strings.HasPrefix(entry.MESSAGE, "Started hello") {
		t.Errorf("--json: %+v, %v", entry, err)
	}
	t.Run("a user who is not root", func(t *testing.T) {
		f.sh(t, "h1", `useradd --create-home --groups systemd-journal reader; mkdir -p ~reader/.ssh; cp /root/.ssh/authorized_keys ~reader/.ssh/; chown -R reader ~reader/.ssh`)
		t.Cleanup(func() { f.sh(t, "h1", `userdel --remove reader 2>/dev/null; true`) })
		f.configure(t, "log_level: info\ngreeting: hello\nansible_user: reader\n")
		query := []string{"-n", "1", "--grep", "^Started hello", "--limit", "h1"}
		if got := hosts(logs(0, query...)); got != "h1" {
			t.Errorf("of the group systemd-journal: %s", got)
		}
		f.sh(t, "h1", `gpasswd --delete reader systemd-journal`)
		contains(t, logs(1, query...), "h1: not read: sudo: a password is required")
	})

	t.Run("follow", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, f.kinectl, argv("-f", "-n", "1", "--grep", "^Started hello|^marked")...)
		read, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stderr = cmd.Stdout
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(read)
		next := func(want string) {
			t.Helper()
			if !lines.Scan() || !strings.Contains(lines.Text(), want) {
				t.Fatalf("got %q, want %q", lines.Text(), want)
			}
		}
		next("h1 ")
		f.sh(t, "h2", `systemctl restart hello`)
		next("h2 ")
		back := f.powerCut(t, "h2")
		next("h2: not read: ")
		f.sh(t, "h1", `systemctl restart hello`)
		next("h1 ")
		back()
		// The start at the boot was while nobody read.
		for lines.Scan() && !strings.HasPrefix(lines.Text(), "h2 ") {
			if !strings.HasPrefix(lines.Text(), "h2: read again") {
				t.Fatalf("got %q", lines.Text())
			}
		}
		contains(t, lines.Text(), "Started hello")
		_ = cmd.Process.Signal(syscall.SIGINT)
		for lines.Scan() {
			t.Errorf("after Ctrl-C: %s", lines.Text())
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("Ctrl-C: %v", err)
		}
		f.await(t, "h1", `! pgrep -x journalctl >/dev/null`)
	})

	t.Run("a host that is down", func(t *testing.T) {
		back := f.powerCut(t, "h2")
		out := logs(1, "-n", "1", "--grep", "^Started hello")
		contains(t, out, "h1 ", "h2: not read: ", "the journal of h2 is not in it")
		back()
		f.await(t, "h2", `curl -sf -o /dev/null http://127.0.0.1:9090/metrics`)
	})
}
