package release

import (
	"slices"
	"strings"
	"testing"
)

// TestRemaining starts again only when a host that Prepare could not reach was
// all the trouble.
func TestRemaining(t *testing.T) {
	f := func(want string, o Outcome) {
		t.Helper()
		if got := strings.Join(remaining(&o), " "); got != want {
			t.Errorf("%+v: got %q, want %q", o, got, want)
		}
	}
	lost := HostResult{Host: "h1", Result: Unreachable}
	f("", Outcome{Untouched: []string{"h2"}})
	f("h2 h3", Outcome{Hosts: []HostResult{lost}, lost: []string{"h1"}, Untouched: []string{"h2", "h3"}})
	f("", Outcome{Hosts: []HostResult{lost}, lost: []string{"h1"}})                                                                           // nobody is left
	f("", Outcome{Hosts: []HostResult{lost, {Host: "h2", Result: Failed}}, lost: []string{"h1"}, Untouched: []string{"h3"}})                  // a full disk, say
	f("", Outcome{Hosts: []HostResult{{Host: "h2", Result: Deployed}, lost}, lost: []string{"h1"}, stopped: true, Untouched: []string{"h3"}}) // lost later
	f("", Outcome{Hosts: []HostResult{{Host: "h2", Result: Unreachable}}, Untouched: []string{"h3"}})                                         // in Deploy
}

// TestTellerLost tells a host that was lost before anything began from one that
// was lost by the migration, or later.
func TestTellerLost(t *testing.T) {
	f := func(lines string, want ...string) {
		t.Helper()
		if out, _, _ := told(t, lines); !slices.Equal(out.lost, want) {
			t.Errorf("lost are %q, want %q", out.lost, want)
		}
	}
	f(prepared+`{"event": "unreachable", "play": "Prepare", "task": "Reach every host", "host": "h1", "result": {"msg": "x"}}`, "h1")
	f(prepared + `{"event": "unreachable", "play": "Prepare", "task": "Run deploy.before once", "host": "h1", "result": {"msg": "x"}}`)
	f(strings.ReplaceAll(ready, "\n\n", "\n") + `{"event": "unreachable", "play": "Deploy", "task": "Run", "host": "h1", "result": {"msg": "x"}}`)
}
