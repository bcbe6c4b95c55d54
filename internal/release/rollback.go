package release

import (
	"context"
	"errors"
	"fmt"

	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/render/ansible"
)

// Previous chooses the release that a group goes back to: the newest one that
// some host has kept, and that is neither the one which most hosts run now nor
// newer than it. A release that was rolled back was never kept, so it cannot
// be chosen. It is a pure function.
func Previous(hosts []HostStatus) (current, previous Kept, err error) {
	type release struct{ version, digest string }
	runs, before := map[release]int{}, map[release]int{}
	most := func(votes map[release]int) (best release) {
		for r, n := range votes {
			if b := votes[best]; n > b || n == b && (r.version > best.version || r.version == best.version && r.digest > best.digest) {
				best = r
			}
		}
		return best
	}
	for _, h := range hosts {
		if len(h.Kept) > 0 {
			k := h.Kept[len(h.Kept)-1]
			runs[release{k.Version, k.Digest}]++
		}
	}
	if len(runs) == 0 {
		return current, previous, errors.New("no host has a release to go back from")
	}
	now := most(runs)
	current = Kept{Version: now.version, Digest: now.digest}
	for _, h := range hosts {
		for i := len(h.Kept) - 1; i > 0; i-- {
			if (release{h.Kept[i].Version, h.Kept[i].Digest}) == now {
				before[release{h.Kept[i-1].Version, h.Kept[i-1].Digest}]++
				break
			}
		}
	}
	if len(before) == 0 {
		return current, previous, fmt.Errorf("no host has kept a release before %s", current.Version)
	}
	goal := most(before)
	return current, Kept{Version: goal.version, Digest: goal.digest}, nil
}

// Rollback takes p's group back to a kept release: its package, its
// environment and its probe, all from the hosts' own disks. Only p's name,
// group and batches matter.
func Rollback(ctx context.Context, o Options, p plan.Plan, to Kept) (*Outcome, error) {
	return run(ctx, o, p, ansible.Restore(p, ansible.Kept{Version: to.Version, Digest: to.Digest}))
}

// Remove takes the service off its group. Its data in /var/lib/NAME and its
// user stay. Only p's name, group and batches matter.
func Remove(ctx context.Context, o Options, p plan.Plan) (*Outcome, error) {
	return run(ctx, o, p, ansible.Remove(p))
}
