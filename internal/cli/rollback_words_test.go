package cli

import (
	"bytes"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/internal/release"
)

// TestOffered is what a rollback with nothing to go back to names instead.
func TestOffered(t *testing.T) {
	host := func(running string, kept ...string) release.HostStatus {
		h := release.HostStatus{Version: running}
		for _, k := range kept {
			h.Kept = append(h.Kept, release.Kept{Version: k})
		}
		return h
	}
	f := func(hosts []release.HostStatus, published []string, want string) {
		t.Helper()
		if got := offered(hosts, published); got != want {
			t.Errorf("%+v: %s", hosts, got)
		}
	}
	both := []release.HostStatus{host("1.0.0", "1.0.0"), host("1.0.0", "1.0.0")}
	f(both, nil, "name a version of the package repository with --to")
	f(both, []string{"1.0.0"}, "name a version of the package repository with --to")
	f(both, []string{"1.0.0", "1.1.0~rc1", "1.1.0", "1.1.0"}, "the package repository has 1.1.0-rc1, 1.1.0: name one with --to")
	f(both, []string{"1.1.0", "1.2.0", "1.3.0", "1.4.0", "1.5.0", "1.6.0"}, "the package repository has 1.2.0, 1.3.0, 1.4.0, 1.5.0, 1.6.0: name one with --to")
	f([]release.HostStatus{host("1.1.0", "1.1.0"), host("0.9.0", "0.9.0")}, []string{"2.0.0"}, "some hosts keep 0.9.0, 1.1.0: name one with --to")
	f(nil, nil, "name a version of the package repository with --to")
}

// TestFreezeInHistory shows why something was frozen, once for all hosts.
func TestFreezeInHistory(t *testing.T) {
	f := func(want string, h release.HostResult) {
		t.Helper()
		other := h
		h.Host, other.Host = "h1", "h2"
		var out bytes.Buffer
		a := &app{stdout: &out}
		a.historyTable(release.Rolls([]release.HostResult{h, other}))
		_, rows, _ := strings.Cut(out.String(), "\n")
		if got := strings.Join(strings.Fields(rows), " "); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	f("now freeze: the racks move frozen h1 h2 0.0 s ann", release.HostResult{When: "now", Action: "freeze", Result: release.Frozen, Reason: "the racks move", Who: "ann"})
	f("now unfreeze all unfrozen h1 h2 0.0 s ann", release.HostResult{When: "now", Action: "unfreeze all", Result: release.Unfrozen, Who: "ann"})
}
