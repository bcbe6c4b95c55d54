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
