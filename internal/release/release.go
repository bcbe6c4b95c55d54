// Package release brings releases to a fleet: it takes a version's own spec
// out of the package repository, renders the playbook, drives
// ansible-playbook and tells what each host reports. Start at [Deploy].
//
// What happens on a host is decided there, by the script of package
// render/transaction; this package only hands it over and reads the results.
package release

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Options say where and how a playbook runs.
type Options struct {
	Infra *Infra
	Limit string // Ansible host pattern; empty means the whole group
	Check bool   // say what would be done, change nothing
	// SkipUnreachable goes on without the hosts that Prepare cannot reach; they are
	// in [Outcome].Skipped. A host that is lost later stops the roll all the same.
	SkipUnreachable bool
	// Wait is how long to try again while the service is locked.
	Wait time.Duration
	// StateDir is this user's folder for what outlives a run: Ansible's own output,
	// one file a run, below log, and the locks below lock.
	StateDir string
	// Progress is told what happens as it happens. It is called from one
	// goroutine at a time and may be nil.
	Progress func(Event)
	// Watched says that somebody looks at the steps of the hosts as they come: a host is
	// asked for its own a second after it has begun, else after ten.
	Watched bool

	skip  []string // tags of the playbook
	tells bool     // the Monitoring stage suits the whole group, also when Limit is a part of it

	understood understood

	selected *selection // what the limit leaves; nil without one
	service  string     // whose steps are asked for
}

// StageWait is told, with the reason, before a run waits for another one.
const StageWait = "Wait"

// Event is one step of a run.
type Event struct {
	Stage   string // "Prepare", "Deploy", "Monitoring", "Cleanup"; "Revert" before a second run, "Skip" of a host before it
	Host    string // empty when the event is about the whole stage
	Empty   bool   // the stage has no host
	Started bool   // the host begins; otherwise Step says where it is, or Result holds its end
	Step    string // of the transaction: drain, install, restart, judge, settle, commit, roll-back
	Result  HostResult
}

// HostResult is what one host did, as its own script wrote it down.
type HostResult struct {
	Host    string   `json:"host,omitempty"`
	Action  string   `json:"action,omitempty"`  // install, restore, remove, restart, start, stop
	Version string   `json:"version,omitempty"` // that was asked for
	From    string   `json:"from"`              // that ran before; empty when none
	Result  Result   `json:"result"`
	Changed bool     `json:"changed"`
	Reason  string   `json:"reason,omitempty"`
	Digest  string   `json:"digest,omitempty"` // of the environment file, 12 hexadecimal digits
	Release int      `json:"release,omitempty"`
	Who     string   `json:"who,omitempty"`
	When    string   `json:"when,omitempty"` // RFC 3339, by the host's clock
	Seconds float64  `json:"seconds,omitempty"`
	Roll    string   `json:"roll,omitempty"` // the same for all hosts of one run; empty from a playbook without its plugin
	Log     []string `json:"log,omitempty"`  // the last lines of what failed

	released bool // it was deployed, and what failed came after that
}

// Result is the end of one transaction.
type Result string

// The results that a host, or the way to it, can have.
const (
	Deployed    Result = "deployed"
	Restored    Result = "restored" // a kept release is back
	Removed     Result = "removed"
	Restarted   Result = "restarted"
	Started     Result = "started"
	Halted      Result = "stopped" // with `kinectl stop`
	Ran         Result = "ran"     // deploy.before
	Unchanged   Result = "unchanged"
	Checked     Result = "checked"   // --check: nothing was done
	Ready       Result = "ready"     // prepared
	Recovered   Result = "recovered" // by the host itself, after a power cut
	RolledBack  Result = "rolled-back"
	Failed      Result = "failed"
	Locked      Result = "locked"
	Unreachable Result = "unreachable"
	Unfinished  Result = "unfinished" // it began, and Ansible ended before it
)

// Good reports whether the roll may go on after r.
func (r Result) Good() bool {
	switch r {
	case Deployed, Restored, Removed, Restarted, Started, Halted, Ran, Unchanged, Checked, Ready, Frozen, Unfrozen:
		return true
	}
	return false
}

// Outcome is the end of a run over a group.
type Outcome struct {
	Service   string       `json:"service"`
	Action    Action       `json:"action,omitempty"` // of Power
	Version   string       `json:"version,omitempty"`
	Group     string       `json:"group"`
	Env       string       `json:"env"`
	Hosts     []HostResult `json:"hosts"`               // in the order of their ends; those that have none come last
	Skipped   []string     `json:"skipped,omitempty"`   // hosts that could not be reached and were left out on demand
	Untouched []string     `json:"untouched,omitempty"` // all other hosts that were meant: prepared at most
	Reverted  []HostResult `json:"reverted,omitempty"`  // hosts that had changed and were taken back (deploy.on_failure)
	Kept      []string     `json:"kept,omitempty"`      // hosts that had changed and had nothing to go back to
	Monitored bool         `json:"monitored"`           // the Monitoring stage had a host
	LeftOut   bool         `json:"-"`                   // there is one, which --limit leaves out
	Seconds   float64      `json:"seconds"`
	Log       string       `json:"log"` // file with Ansible's own output
	Error     string       `json:"error,omitempty"`

	stopped bool     // a host failed in its transaction
	lost    []string // hosts that Prepare could not reach
}

// The ways in which a run can end badly. An error of [Deploy] and its siblings
// wraps one of them when the fleet, and not the command, is the reason.
var (
	ErrRolledBack = errors.New("rolled back")
	ErrLocked     = errors.New("locked")
	ErrFailed     = errors.New("failed")
)

// err is the worst of the hosts' results as an error, nil when all are good.
func (o *Outcome) err() error {
	var worst *HostResult
	rank := map[Result]int{RolledBack: 1, Locked: 2, Unfinished: 3, Unreachable: 4, Failed: 5}
	for i := range o.Hosts {
		h := &o.Hosts[i]
		if !h.Result.Good() && (worst == nil || rank[h.Result] > rank[worst.Result]) {
			worst = h
		}
	}
	if worst == nil {
		return nil
	}
	kind, what := ErrFailed, string(worst.Result)
	switch worst.Result {
	case RolledBack:
		kind, what = ErrRolledBack, "was rolled back"
	case Locked:
		kind, what = ErrLocked, "is locked"
	case Failed:
		what = "failed"
	case Unreachable:
		what = "stopped: unreachable"
	case Unfinished:
		what = "is unfinished"
	}
	return &hostError{kind, fmt.Sprintf("%s %s on %s: %s", strings.TrimSpace(o.Service+" "+o.Version), what, worst.Host, worst.Reason)}
}

type hostError struct {
	kind error
	text string
}

func (e *hostError) Error() string { return e.text }
func (e *hostError) Unwrap() error { return e.kind }
