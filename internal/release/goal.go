package release

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

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
// host that has none, since it was added later, is in Lack. One that the
// release never came to stays as it is. A release that was rolled back was never
// kept, so it cannot be chosen. A rollback that has not come to every host is
// finished first; after one that has, it goes on from what most hosts run, since the
// newest may be what one host alone had of its own. It is a pure function.
func Previous(hosts []HostStatus) (Goal, error) {
	newest := latest(hosts)
	if newest.Version == "" {
		return Goal{}, errors.New("no host has a release to go back from")
	}
	left := lastLeft(hosts, newest.Version)
	for _, from := range left {
		var back, behind []HostStatus
		for _, h := range hosts {
			if h.backFrom() == from {
				back = append(back, h)
			} else if h.current().Version == from {
				behind = append(behind, h)
			}
		}
		if len(behind) > 0 {
			goal := Goal{From: from, To: most(back).Version, Releases: map[string]ansible.Back{}}
			goal.choose(hosts, Kept{}, func(h HostStatus) bool { return h.current().Version == from })
			return goal, nil
		}
	}
	if len(left) > 0 {
		newest = most(hosts)
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

// latest is the release that was committed last, of those that hosts run.
func latest(hosts []HostStatus) (newest Kept) {
	for _, h := range hosts {
		if last := h.current(); last.Version != "" && newer(last, newest) {
			newest = last
		}
	}
	return newest
}

// most is the latest release of the version that most hosts run; of several the newer one.
func most(hosts []HostStatus) (chosen Kept) {
	of := map[string][]HostStatus{}
	for _, h := range hosts {
		if v := h.current().Version; v != "" {
			of[v] = append(of[v], h)
		}
	}
	count := 0
	for _, same := range of {
		if last := latest(same); len(same) > count || len(same) == count && newer(last, chosen) {
			count, chosen = len(same), last
		}
	}
	return chosen
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

// lastLeft are the versions that rollbacks took hosts back from that are at the newest now,
// the highest first: none where nothing but a configuration was left, or nothing at all.
func lastLeft(hosts []HostStatus, newest string) (left []string) {
	for _, h := range hosts {
		if from := h.backFrom(); h.current().Version == newest && from != newest && from != "" {
			left = append(left, from)
		}
	}
	slices.SortFunc(left, func(a, b string) int { return version.CompareDeb(b, a) })
	return slices.Compact(left)
}

// backFrom is the version that the host went back from, if what it runs is there by a
// rollback.
func (h HostStatus) backFrom() string {
	if h.Committed == nil || h.Committed.Result != Restored || canonical(h.Committed.Version) != h.current().Version {
		return ""
	}
	return canonical(h.Committed.From)
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
