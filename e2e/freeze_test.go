package e2e

import (
	"strings"
	"testing"
)

// A freeze refuses everything that changes something, tells why, and ends.
func TestFreeze(t *testing.T) {
	f := road
	f.deploy(t, 0, first)
	t.Cleanup(func() { // a freeze would refuse whatever the next tests do
		if t.Failed() {
			f.run(t, f.fleet("unfreeze", "")...)
			f.run(t, "unfreeze", "--all", "--infra", f.infra, "--env", "lab")
		}
	})
	verb := func(code int, argv ...string) string {
		t.Helper()
		out, got := f.run(t, argv...)
		if got != code {
			t.Errorf("%v: exit code %d, want %d\n%s", argv, got, code, out)
		}
		return out
	}
	const reason = `the "sale" ends at $5; it's \ over`
	contains(t, verb(0, f.fleet("freeze", "", "--reason", reason)...), "frozen on 4 hosts")
	said := "frozen by root from 198.51.100.1 since 20"
	contains(t, f.deploy(t, 4, second, "--limit", "h3"), said, reason, "`kinectl unfreeze` ends it")
	for _, v := range []string{"rollback", "remove", "restart", "stop", "start"} {
		argv := f.fleet(v, "")
		if v != "remove" {
			argv = append(argv, "--limit", "h2")
		}
		if v == "rollback" {
			argv = append(argv, "--to", second)
		}
		contains(t, verb(4, append(argv, "--yes")...), said)
	}
	contains(t, f.deploy(t, 0, second, "--check"), "now it would be refused: frozen by")
	verb(0, f.fleet("status", "")...)
	verb(0, f.fleet("unfreeze", "")...)

	verb(0, "freeze", "--all", "--reason", "racks", "--infra", f.infra, "--env", "lab")
	contains(t, f.deploy(t, 4, second), "racks; `kinectl unfreeze --all` ends it")
	verb(0, f.fleet("unfreeze", "")...) // of the service, which is not frozen
	f.deploy(t, 4, second)
	verb(0, "unfreeze", "--all", "--infra", f.infra, "--env", "lab")
	f.expect(t, "h1", `ls -A /var/lib/kinectl`, "hello")
	past, _ := f.run(t, f.fleet("history", "")...)
	contains(t, past, "freeze: "+reason, "freeze all: racks", "unfreeze all ")
	if out, _ := f.run(t, f.fleet("status", "")...); strings.Contains(out, "frozen") {
		t.Errorf("a freeze that has ended is the last release:\n%s", out)
	}
	f.deploy(t, 0, second)
}
