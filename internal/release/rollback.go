package release

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/render/ansible"
)

// Rollback takes p's group back to kept releases: package, environment and
// probe, all from the hosts' own disks. Of p its name, group and batches matter;
// hosts that lack the goal get p itself, in a second roll. When they cannot, the
// others are back all the same, and the error names them.
func Rollback(ctx context.Context, o Options, p plan.Plan, goal Goal) (*Outcome, error) {
	back := o
	if tell := o.Progress; tell != nil {
		back.Progress = func(e Event) {
			if !slices.Contains(goal.Lack, e.Host) {
				tell(e)
			}
		}
	}
	out, err := roll(ctx, back, p, ansible.Restore(p, goal.Releases))
	if err != nil || len(goal.Lack) == 0 {
		return out, err
	}
	out.Hosts = slices.DeleteFunc(out.Hosts, func(h HostResult) bool { return slices.Contains(goal.Lack, h.Host) })
	again, err := bring(ctx, o, p, goal)
	if again == nil {
		out.Untouched = append(out.Untouched, goal.Lack...)
		return out, &hostError{ErrFailed, err.Error()}
	}
	again.Hosts = append(out.Hosts, again.Hosts...)
	again.Skipped = append(out.Skipped, again.Skipped...)
	again.Seconds += out.Seconds
	again.Monitored, again.LeftOut = out.Monitored, out.LeftOut
	return again, err
}

// bring installs the goal where it is not kept. Nothing is run before it, as on any
// way back. Each host must be as it was seen, and forgets what it leaves: a second
// rollback goes further back.
func bring(ctx context.Context, o Options, p plan.Plan, goal Goal) (*Outcome, error) {
	why := goal.NoPackage
	if why == nil && goal.From == goal.To {
		why = errors.New("its inventory says what is new")
	}
	if why == nil {
		why = o.Infra.ready(goal.Lack, p)
	}
	if why != nil {
		return nil, fmt.Errorf("%s, and it cannot come from the repository: %w", goal.Lacking(), why)
	}
	o.Limit = strings.Join(goal.Lack, ",")
	o.skip = []string{"monitoring"}
	p.Deploy.Before = nil
	p = o.Infra.withSecrets(goal.Lack, p)
	return roll(ctx, o, p, ansible.Bring(p, goal.Releases))
}

// Remove takes the service off its group. Its data in /var/lib/NAME and its
// user stay. Only p's name, group and batches matter.
func Remove(ctx context.Context, o Options, p plan.Plan) (*Outcome, error) {
	return roll(ctx, o, p, ansible.Remove(p))
}
