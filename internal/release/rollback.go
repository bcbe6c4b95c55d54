package release

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/render/ansible"
	"github.com/kinectl/kinectl/internal/version"
)

// Goal is what a rollback goes back to: on each host a release of its own,
// since the same version can have another environment there.
type Goal struct {
	From, To string                  // versions of the package, as dpkg says them
	Releases map[string]ansible.Back // by host; release 0 where nothing has to be undone
	Lack     []string                // hosts that should go back too and have not kept To
}

// Previous chooses what to go back to: from the newest release that any host
// runs, to the one before it. A host that the newest one never came to stays as
// it is; one that is newer than the goal, and so has not kept it, is in Lack. A
// release that was rolled back was never kept, so it cannot be chosen. It is a
// pure function.
func Previous(hosts []HostStatus) (Goal, error) {
	var newest, before Kept
	for _, h := range hosts {
		if n := len(h.Kept); n > 0 && newer(h.Kept[n-1], newest) {
			newest = h.Kept[n-1]
		}
	}
	if newest.Version == "" {
		return Goal{}, errors.New("no host has a release to go back from")
	}
	for _, h := range hosts {
		if n := len(h.Kept); n > 1 && h.Kept[n-1].same(newest) && newer(h.Kept[n-2], before) {
			before = h.Kept[n-2]
		}
	}
	if before.Version == "" {
		return Goal{}, fmt.Errorf("no host has kept a release before %s", newest.Version)
	}
	goal := Goal{From: newest.Version, To: before.Version, Releases: map[string]ansible.Back{}}
	goal.choose(hosts, func(h HostStatus) bool {
		last := h.Kept[len(h.Kept)-1]
		return last.Version == newest.Version && (before.Version != newest.Version || last.same(newest))
	})
	return goal, nil
}

// To chooses on each host the newest kept release of one version.
func To(hosts []HostStatus, wanted string) Goal {
	goal := Goal{To: wanted, Releases: map[string]ansible.Back{}}
	goal.choose(hosts, func(h HostStatus) bool {
		return len(h.Kept) == 0 || h.Kept[len(h.Kept)-1].Version != wanted
	})
	return goal
}

// choose fills in a release for the hosts that leave theirs.
func (g *Goal) choose(hosts []HostStatus, leaves func(HostStatus) bool) {
	for _, h := range hosts {
		back := ansible.Back{Newest: h.newest()}
		g.Releases[h.Host] = back
		if h.Health == NotAnswering || len(h.Kept) == 0 && g.From != "" || !leaves(h) {
			continue
		}
		earlier := h.Kept[:max(len(h.Kept)-1, 0)]
		i := -1
		for j, k := range earlier {
			if k.Version == g.To {
				i = j
			}
		}
		if i < 0 && g.From == g.To {
			continue // the new configuration had not come to it
		}
		if i < 0 {
			g.Lack = append(g.Lack, h.Host)
			continue
		}
		back.Release = earlier[i].Release
		g.Releases[h.Host] = back
	}
	slices.Sort(g.Lack)
}

// newest is the number of the release that a host has, as [ansible.Back] wants it.
func (h HostStatus) newest() int {
	switch {
	case h.Health == NotAnswering:
		return -1
	case len(h.Kept) == 0:
		return 0
	}
	return h.Kept[len(h.Kept)-1].Release
}

// same reports whether k is the release that newest is, on another host: the
// version, and the environment or at least the inventory that it was made from.
func (k Kept) same(newest Kept) bool {
	known := k.Configuration != "" && newest.Configuration != ""
	return k.Version == newest.Version && (!known || k.Configuration == newest.Configuration || k.Digest == newest.Digest)
}

// newer orders releases of different hosts: by the time of their commit, and
// where clocks agree to the second, by version.
func newer(a, b Kept) bool {
	return b.Version == "" || cmp.Or(cmp.Compare(a.When, b.When), version.CompareDeb(a.Version, b.Version)) > 0
}

// Rollback takes p's group back to kept releases: package, environment and
// probe, all from the hosts' own disks. Of p its name, group and batches matter;
// hosts that lack the goal get p itself, once the others are back.
func Rollback(ctx context.Context, o Options, p plan.Plan, goal Goal) (*Outcome, error) {
	if len(goal.Lack) == 0 {
		return roll(ctx, o, p, ansible.Restore(p, goal.Releases))
	}
	rest := o
	rest.Limit = strings.Join(goal.Lack, ",")
	lacks := func(host string) bool { return slices.Contains(goal.Lack, host) }
	if tell := o.Progress; tell != nil {
		o.Progress = func(e Event) {
			if !lacks(e.Host) {
				tell(e)
			}
		}
	}
	out, err := roll(ctx, o, p, ansible.Restore(p, goal.Releases))
	if err != nil {
		return out, err
	}
	again, err := Deploy(ctx, rest, p)
	if again != nil {
		again.Hosts = append(slices.DeleteFunc(out.Hosts, func(h HostResult) bool { return lacks(h.Host) }), again.Hosts...)
		again.Skipped = append(out.Skipped, again.Skipped...)
		again.Seconds += out.Seconds
		again.Monitored, again.LeftOut = out.Monitored, out.LeftOut
		out = again
	}
	return out, err
}

// Remove takes the service off its group. Its data in /var/lib/NAME and its
// user stay. Only p's name, group and batches matter.
func Remove(ctx context.Context, o Options, p plan.Plan) (*Outcome, error) {
	return roll(ctx, o, p, ansible.Remove(p))
}
