package release

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/render/ansible"
)

// revert takes the hosts that a stopped roll had changed back to the release
// that each of them had before, and writes into out what became of them. A host
// of a first install stays: going back would be taking the service away, which
// is for a person to say. One that does not answer keeps no other from going back.
func revert(ctx context.Context, o Options, p plan.Plan, out *Outcome) error {
	changed := deployed(out)
	if len(changed) == 0 {
		return nil
	}
	o.Limit = strings.Join(changed, ",")
	progress := o.Progress
	if progress != nil {
		progress(Event{Stage: "Revert"})
	}
	o.Progress = func(e Event) {
		if progress != nil && e.Host != "" {
			progress(e)
		}
	}
	var left []string // hosts that do not go back, and why
	hosts, err := Status(ctx, o, p)
	if err != nil {
		return fmt.Errorf("revert %s: %w", o.Limit, err)
	}
	releases := map[string]ansible.Back{}
	for _, h := range hosts {
		switch n := len(h.Kept); {
		case h.Health == NotAnswering:
			left = append(left, h.Host+": "+h.Reason)
		case n > 1:
			releases[h.Host] = ansible.Back{Release: h.Kept[n-2].Release, Newest: h.newest()}
		default:
			out.Kept = append(out.Kept, h.Host)
		}
	}
	if len(releases) > 0 {
		o.Limit = strings.Join(slices.Sorted(maps.Keys(releases)), ",")
		o.skip = []string{"monitoring"} // which the roll that stopped had not come to
		again, err := run(ctx, o, p, ansible.Restore(p, releases))
		if again != nil {
			out.Reverted = again.Hosts
			out.Seconds += again.Seconds
		}
		if err != nil {
			left = append(left, fmt.Sprintf("%s: %v", o.Limit, err))
		}
	}
	if len(left) > 0 {
		return errors.New("revert " + strings.Join(left, "; "))
	}
	return nil
}

// deployed are the hosts that have the new release because of this run.
func deployed(out *Outcome) []string {
	var hosts []string
	for _, h := range out.Hosts {
		if h.Changed && (h.Result == Deployed || h.released) {
			hosts = append(hosts, h.Host)
		}
	}
	slices.Sort(hosts)
	return hosts
}
