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
	From, To  string                  // versions of the package, as dpkg says them
	Releases  map[string]ansible.Back // by host; release 0 where nothing has to be undone
	Own       []string                // hosts that have not kept To and go back to what they had before
	Lack      []string                // hosts that should go back too and have kept nothing
	NoPackage error                   // why those cannot get it from the repository
}

// Previous chooses what to go back to: from the newest release that any host
// runs, to the one that most hosts had before it, so that a canary of something
// else is nobody's goal. A host that has not kept that one goes back to its own; a
// host that has none, since it was added later, is in Lack. One that the newest
// release never came to stays as it is. A release that was rolled back was never
// kept, so it cannot be chosen. A rollback that has not come to every host is
// finished first. It is a pure function.
func Previous(hosts []HostStatus) (Goal, error) {
	var newest Kept
	for _, h := range hosts {
		if n := len(h.Kept); n > 0 && newer(h.Kept[n-1], newest) {
			newest = h.Kept[n-1]
		}
	}
	if newest.Version == "" {
		return Goal{}, errors.New("no host has a release to go back from")
	}
	if left := unfinished(hosts, newest.Version); left != "" {
		goal := Goal{From: left, To: newest.Version, Releases: map[string]ansible.Back{}}
		goal.choose(hosts, Kept{}, func(h HostStatus) bool { return h.current().Version == left })
		return goal, nil
	}
	before := usual(hosts, newest)
	if before.Version == "" {
		return Goal{}, fmt.Errorf("no host has kept a release before %s", newest.Version)
	}
	goal := Goal{From: newest.Version, To: before.Version, Releases: map[string]ansible.Back{}}
	goal.choose(hosts, newest, func(h HostStatus) bool {
		last := h.current()
		return last.Version == newest.Version && (before.Version != newest.Version || last.same(newest))
	})
	return goal, nil
}

// usual is the release, by its version, that most of the hosts had before the
// newest; of several the newer one.
func usual(hosts []HostStatus, newest Kept) Kept {
	had := map[string][]Kept{}
	for _, h := range hosts {
		if n := len(h.Kept); n > 1 && h.current().same(newest) {
			had[h.Kept[n-2].Version] = append(had[h.Kept[n-2].Version], h.Kept[n-2])
		}
	}
	var most int
	var before Kept
	for _, kept := range had {
		last := slices.MaxFunc(kept, func(a, b Kept) int { return cmp.Compare(a.When, b.When) })
		if len(kept) > most || len(kept) == most && newer(last, before) {
			most, before = len(kept), last
		}
	}
	return before
}

// unfinished is the version that a rollback to the given one has taken some hosts
// back from, while others still run it: it was interrupted, or could not reach them.
func unfinished(hosts []HostStatus, to string) string {
	for _, h := range hosts {
		if h.Last == nil || h.Last.Result != Restored || h.current().Version != to || canonical(h.Last.Version) != to {
			continue
		}
		from := canonical(h.Last.From)
		if from != to && slices.ContainsFunc(hosts, func(h HostStatus) bool { return h.current().Version == from }) {
			return from
		}
	}
	return ""
}

// To chooses on each host the newest kept release of one version.
func To(hosts []HostStatus, wanted string) Goal {
	goal := Goal{To: wanted, Releases: map[string]ansible.Back{}}
	goal.choose(hosts, Kept{}, func(h HostStatus) bool { return h.current().Version != wanted })
	return goal
}

// choose fills in a release for the hosts that leave theirs. newest is what they
// leave, if that is known.
func (g *Goal) choose(hosts []HostStatus, newest Kept, leaves func(HostStatus) bool) {
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
		if i < 0 && g.From == g.To && (newest.Configuration == "" || h.current().Configuration != newest.Configuration) {
			continue // the new configuration had not come to it
		}
		if own := lastBut(earlier, g.From, g.To); i < 0 && g.From != "" && own >= 0 {
			g.Own = append(g.Own, h.Host)
			i = own
		}
		if i < 0 {
			g.Lack = append(g.Lack, h.Host)
			continue
		}
		back.Release = earlier[i].Release
		g.Releases[h.Host] = back
	}
	slices.Sort(g.Own)
	slices.Sort(g.Lack)
}

// lastBut finds the newest of what a host had before that is not what it leaves; a
// configuration alone leaves no version.
func lastBut(earlier []Kept, from, to string) int {
	for i := len(earlier) - 1; i >= 0; i-- {
		if from == to || earlier[i].Version != from {
			return i
		}
	}
	return -1
}

// Lacking says who has not kept the goal.
func (g Goal) Lacking() string {
	if g.From == g.To {
		return fmt.Sprintf("no configuration before this one is kept on %s", strings.Join(g.Lack, " "))
	}
	return fmt.Sprintf("%s is not kept on %s", g.To, strings.Join(g.Lack, " "))
}

// current is the newest release that a host has kept, which is the one that it runs.
func (h HostStatus) current() Kept {
	if len(h.Kept) == 0 {
		return Kept{}
	}
	return h.Kept[len(h.Kept)-1]
}

// newest is the number of the release that a host has, as [ansible.Back] wants it.
func (h HostStatus) newest() int {
	if h.Health == NotAnswering {
		return -1
	}
	return h.current().Release
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
