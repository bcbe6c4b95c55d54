package e2e

import (
	"strings"
	"testing"
	"time"
)

// A rollback goes to what was good, never to what failed, in one step for all
// hosts where a deploy takes three, and without the repository.
func TestRollbackAtOnce(t *testing.T) {
	f := road
	f.offer(t, "8.1.0", "", quick+", serial: [1, 50%, 100%]}"+variables)
	for _, h := range hosts {
		f.run(t, f.fleet("remove", "", "--limit", h)...)
	}
	contains(t, f.deploy(t, 0, "8.1.0"), "1, then 50%, then 100% at a time")
	f.deploy(t, 0, second, "--serial", "100%")
	f.deploy(t, 3, broken) // never good
	out, code := f.run(t, f.fleet("rollback", "", "--check")...)
	contains(t, out, "would go back to hello 8.1.0 (now: 1.1.0)", "4 checked")
	if code != 0 {
		t.Errorf("rollback --check: exit code %d\n%s", code, out)
	}
	f.runs(t, "h1", second)

	f.sh(t, "h1", `mv /etc/apt/sources.list.d/kinectl.sources /root/`) // no way to the repository
	defer f.sh(t, "h1", `mv /root/kinectl.sources /etc/apt/sources.list.d/`)
	start := time.Now()
	out, code = f.run(t, f.fleet("rollback", "")...)
	t.Logf("rollback of %d hosts: %.1f s from the command to its end", len(hosts), time.Since(start).Seconds())
	contains(t, out, "100% at a time", "1.1.0 → 8.1.0, healthy", "4 restored")
	if code != 0 || strings.Contains(out, broken) {
		t.Errorf("rollback: exit code %d\n%s", code, out)
	}
	for _, h := range hosts {
		f.runs(t, h, "8.1.0")
	}
}

// A roll of configuration alone that stopped: the host that it came to goes
// back, the others stay, though each of them has an older configuration.
func TestRollbackOfStoppedConfiguration(t *testing.T) {
	f := road
	for _, h := range hosts {
		f.run(t, f.fleet("remove", "", "--limit", h)...)
	}
	own := func(greeting string) {
		f.configure(t, "log_level: info\ngreeting: \""+greeting+" from {{ inventory_hostname }}\"\n")
	}
	own("one")
	f.deploy(t, 0, first, "--serial", "100%")
	own("two")
	f.deploy(t, 0, first, "--serial", "100%")
	own("three")
	f.deploy(t, 0, first, "--limit", "h1") // as a roll does that stops after its first host
	since := f.sh(t, "h2", `systemctl show -P MainPID hello`)
	out, code := f.run(t, f.fleet("rollback", "")...)
	contains(t, out, "hello stays 1.0.0 and goes back to the configuration before", "1 restored, 3 unchanged")
	if code != 0 {
		t.Fatalf("rollback: exit code %d\n%s", code, out)
	}
	for _, h := range hosts {
		f.expect(t, h, `grep GREETING /etc/hello/environment`, `GREETING="two from `+h+`"`)
	}
	f.expect(t, "h2", `systemctl show -P MainPID hello`, since)

	// The same again on all of them: now there is nothing to spare.
	out, code = f.run(t, f.fleet("rollback", "")...)
	contains(t, out, "4 restored")
	if code != 0 {
		t.Fatalf("rollback again: exit code %d\n%s", code, out)
	}
	f.expect(t, "h4", `grep GREETING /etc/hello/environment`, `GREETING="one from h4"`)
}

// A host that was added after a release has none before it: the others go back from
// their disks, and it gets their version from the repository, or is named.
func TestRollbackOfAnAddedHost(t *testing.T) {
	f := road
	const before = "8.5.0"
	f.offer(t, before, "", quick+"}"+variables)
	for _, h := range hosts {
		f.run(t, f.fleet("remove", "", "--limit", h)...)
	}
	f.deploy(t, 0, before, "--serial", "100%", "--limit", "h1,h2,h3")
	f.deploy(t, 0, second, "--serial", "100%")

	back := f.vanish(t, before)
	out, code := f.run(t, f.fleet("rollback", "")...)
	back()
	contains(t, out, "3 restored, 1 not touched", "error: 8.5.0 is not kept on h4, and it cannot come from the repository: ", "is missing")
	if code != 1 {
		t.Errorf("without the package: exit code %d\n%s", code, out)
	}
	f.runs(t, "h1", before)
	f.runs(t, "h4", second)

	// Asked again it goes on where it was, and the others do not go further back.
	out, code = f.run(t, f.fleet("rollback", "", "--check")...)
	contains(t, out, "8.5.0 is not kept on h4", "4 checked")
	if code != 0 {
		t.Errorf("--check: exit code %d\n%s", code, out)
	}
	f.runs(t, "h4", second)
	out, code = f.run(t, f.fleet("rollback", "")...)
	contains(t, out, "it comes from the repository there, with today's configuration, after the others", "h4 ", "1 deployed, 3 unchanged")
	if code != 0 {
		t.Errorf("rollback: exit code %d\n%s", code, out)
	}
	for _, h := range hosts {
		f.runs(t, h, before)
	}

	// What it has left is never gone back to.
	out, code = f.run(t, f.fleet("rollback", "")...)
	if code != 1 || !strings.Contains(out, "no host has kept a release before 8.5.0") {
		t.Errorf("once more: exit code %d\n%s", code, out)
	}
}

// A host that went back to a release of its own does not lead the next rollback: that
// goes on from what most hosts run, and leaves the one host alone.
func TestRollbackTwice(t *testing.T) {
	f := road
	const canary, bad = "8.8.0", "8.8.1"
	f.offer(t, canary, "", quick+"}"+variables)
	f.offer(t, bad, "", quick+"}"+variables)
	for _, h := range hosts {
		f.run(t, f.fleet("remove", "", "--limit", h)...)
	}
	f.deploy(t, 0, first, "--serial", "100%")
	f.deploy(t, 0, second, "--serial", "100%", "--limit", "h1,h2,h3")
	f.deploy(t, 0, canary, "--limit", "h4")
	f.deploy(t, 0, bad, "--serial", "100%")
	for _, want := range []struct{ result, version string }{{"4 restored", second}, {"3 restored, 1 unchanged", first}} {
		out, code := f.run(t, f.fleet("rollback", "")...)
		contains(t, out, want.result)
		if code != 0 {
			t.Fatalf("rollback: exit code %d\n%s", code, out)
		}
		for _, h := range []string{"h1", "h2", "h3"} {
			f.runs(t, h, want.version)
		}
		f.runs(t, "h4", canary)
	}
}
