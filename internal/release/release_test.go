package release

import (
	"errors"
	"testing"
)

func TestGood(t *testing.T) {
	f := func(want bool, all ...Result) {
		t.Helper()
		for _, r := range all {
			if r.Good() != want {
				t.Errorf("Good of %q is %t", r, r.Good())
			}
		}
	}
	f(true, Deployed, Restored, Removed, Unchanged, Checked, Ready)
	f(false, RolledBack, Failed, Locked, Unreachable, "", "something new")
}

// TestOutcome ranks the ends of several hosts: exit code 3 may only be said
// when every host is safely back.
func TestOutcome(t *testing.T) {
	f := func(kind error, text string, results ...Result) {
		t.Helper()
		o := &Outcome{Service: "hello"}
		for i, r := range results {
			o.Hosts = append(o.Hosts, HostResult{Host: "h" + string(rune('1'+i)), Result: r, Reason: "why"})
		}
		err := o.err()
		for _, each := range []error{ErrRolledBack, ErrLocked, ErrFailed} {
			if errors.Is(err, each) != (each == kind) {
				t.Errorf("%q: is %v: %t", results, each, errors.Is(err, each))
			}
		}
		if err != nil && err.Error() != text || (err == nil) != (kind == nil) {
			t.Errorf("%q: error %v, want %s", results, err, text)
		}
	}
	f(nil, "")
	f(nil, "", Deployed, Unchanged, Restored, Removed, Checked, Ready)
	f(ErrRolledBack, "hello was rolled back on h2: why", Deployed, RolledBack)
	f(ErrRolledBack, "hello was rolled back on h1: why", RolledBack, RolledBack)
	f(ErrLocked, "hello is locked on h1: why", Locked, RolledBack)
	f(ErrFailed, "hello stopped: unreachable on h2: why", RolledBack, Unreachable, Locked)
	f(ErrFailed, "hello failed on h3: why", RolledBack, Unreachable, Failed)
	f(ErrFailed, "hello failed on h1: why", Failed, RolledBack, Failed)
}

// TestUnknownResult holds that a result of a newer script is no success.
func TestUnknownResult(t *testing.T) {
	o := &Outcome{Service: "hello", Hosts: []HostResult{{Host: "h1", Result: "exploded", Reason: "why"}}}
	if err := o.err(); !errors.Is(err, ErrFailed) || err.Error() != "hello exploded on h1: why" {
		t.Errorf("error %v", err)
	}
}
