package cli

import (
	"strings"
	"testing"

	"github.com/kinectl/kinectl/internal/release"
)

// TestSummary says why the stage Monitoring had nobody to tell.
func TestSummary(t *testing.T) {
	f := func(o release.Outcome, want string) {
		t.Helper()
		o.Service, o.Version, o.Hosts = "hello", "1.2.0", []release.HostResult{{Host: "h1", Result: release.Deployed}}
		if got := summary(&o); got != strings.TrimSuffix("hello 1.2.0: 1 deployed, 0.0 s; "+want, "; ") {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	f(release.Outcome{Monitored: true}, "")
	f(release.Outcome{}, "monitoring skipped: no host of a group monitoring")
	f(release.Outcome{LeftOut: true}, "monitoring skipped: --limit leaves no host of the group monitoring")
}

// TestCounts: a host that went back (deploy.on_failure: revert) has not the release any
// more, and no host is counted twice.
func TestCounts(t *testing.T) {
	f := func(want string, back ...release.HostResult) {
		t.Helper()
		o := release.Outcome{Service: "hello", Version: "1.2.0", Reverted: back, Untouched: []string{"h4"}, Hosts: []release.HostResult{
			{Host: "h1", Result: release.Deployed}, {Host: "h2", Result: release.Deployed}, {Host: "h3", Result: release.RolledBack},
		}}
		if got := counts(&o); got != "hello 1.2.0: "+want+", 1 not touched, 0.0 s" {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	one := func(host string, r release.Result) release.HostResult {
		return release.HostResult{Host: host, Result: r}
	}
	f("2 deployed, 1 rolled-back")
	f("2 reverted, 1 rolled-back", one("h1", release.Restored), one("h2", release.Restored))
	f("1 deployed, 1 reverted, 1 rolled-back", one("h1", release.Restored), one("h2", release.Unreachable))
	f("1 deployed, 1 reverted, 1 rolled-back", one("h1", release.Restored), one("h2", release.RolledBack)) // it has it again
	f("1 reverted, 1 rolled-back, 1 failed", one("h1", release.Restored), one("h2", release.Failed))
	f("1 reverted, 1 rolled-back, 1 unfinished", one("h1", release.Restored), one("h2", release.Unfinished))
}
