package release

import (
	"context"
	"errors"
	"os"
	"slices"
	"time"

	"github.com/kinectl/kinectl/internal/artifact"
	"github.com/kinectl/kinectl/internal/plan"
)

// The play that takes the lease of the group's first host, where two deployers
// meet, and then of the hosts that a limit leaves out. The lease itself is the
// hosts' own: see 25-lease.sh of package render/transaction.
const stageLease = "Lease"

// patience is the pause between two tries of a run that waits for another one. Two
// that wait for a third must not try in step, or each could find the other one.
func patience() time.Duration {
	return 2*time.Second + time.Duration(time.Now().UnixNano()%int64(time.Second))
}

// run executes a playbook for p over its group and gathers what became of every
// host. When the service is locked, by a lease or by a freeze, it tries again for
// o.Wait, as long as nothing was changed; the Outcome and the error are those of the
// last try. The Outcome is set also when there is an error after the start.
func run(ctx context.Context, o Options, p plan.Plan, files []artifact.File) (*Outcome, error) {
	until := time.Now().Add(o.Wait)
	told, progress := "", o.Progress
	if o.Wait > 0 && progress != nil { // who is in the way is said once, not host by host at every try
		o.Progress = func(e Event) {
			if e.Result.Result != Locked || e.Stage != "Prepare" {
				progress(e)
			}
		}
	}
	for {
		out, err := once(ctx, o, p, files)
		if !errors.Is(err, ErrLocked) || out.touched() || !time.Now().Before(until) {
			return out, err
		}
		if said := err.Error(); said != told && progress != nil {
			told = said
			progress(Event{Stage: StageWait, Result: HostResult{Result: Locked, Reason: said}})
		}
		if out != nil { // a log that says no more than that; a long wait would push out all others
			_ = os.Remove(out.Log)
		}
		select {
		case <-ctx.Done():
			return out, context.Cause(ctx)
		case <-time.After(min(patience(), max(time.Until(until), 0))):
		}
	}
}

// touched reports whether a host was changed, or tried to.
func (o *Outcome) touched() bool {
	return o != nil && (o.stopped || slices.ContainsFunc(o.Hosts, func(h HostResult) bool { return h.Changed }))
}
