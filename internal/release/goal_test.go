package release

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// kept writes hosts shortly: "h1 1.0.0@1 1.1.0@2" is a host with two releases,
// the oldest first and numbered from 10, each with the time of its commit.
// "h1 ?" did not answer, "1.1.0@2/c" is of the inventory's state c. "<1.2.0" at the
// end: a rollback has taken it back from that.
func kept(hosts []string) []HostStatus {
	var all []HostStatus
	for _, h := range hosts {
		words := strings.Fields(h)
		s := HostStatus{Host: words[0], Health: Healthy}
		for i, r := range words[1:] {
			if from, ok := strings.CutPrefix(r, "<"); ok {
				s.Committed = &HostResult{Action: "restore", Result: Restored, From: from, Version: s.current().Version}
				break
			}
			r, configuration, _ := strings.Cut(r, "/")
			if r == "?" {
				s.Health = NotAnswering
				break
			}
			version, at, _ := strings.Cut(r, "@")
			when, _ := strconv.ParseInt(at, 10, 64)
			s.Kept = append(s.Kept, Kept{Release: 10 + i, Version: version, Digest: "d" + at + s.Host, When: when, Configuration: configuration})
		}
		all = append(all, s)
	}
	return all
}

// chosen writes a goal as "FROM > TO: h1=1 h2=0", or an error.
func chosen(g Goal, err error) string {
	if err != nil {
		return err.Error()
	}
	text := g.From + " > " + g.To + ":"
	for _, h := range slices.Sorted(maps.Keys(g.Releases)) {
		text += fmt.Sprintf(" %s=%d", h, g.Releases[h].Release)
	}
	if len(g.Own) > 0 {
		text += ", own " + strings.Join(g.Own, " ")
	}
	if len(g.Lack) > 0 {
		text += ", not on " + strings.Join(g.Lack, " ")
	}
	return text
}

// inAnyOrder gives the hosts to choose in several orders, which must not matter.
func inAnyOrder(t *testing.T, choose func([]HostStatus) (Goal, error), want string, hosts []string) {
	t.Helper()
	for range 10 {
		rand.Shuffle(len(hosts), func(i, j int) { hosts[i], hosts[j] = hosts[j], hosts[i] })
		if got := chosen(choose(kept(hosts))); got != want {
			t.Errorf("%q: got %s, want %s", hosts, got, want)
			return
		}
	}
}

func TestPrevious(t *testing.T) {
	f := func(want string, hosts ...string) {
		t.Helper()
		inAnyOrder(t, Previous, want, hosts)
	}
	// Nothing to go back from, or to.
	f("no host has a release to go back from")
	f("no host has a release to go back from", "h1", "h2 ?")
	f("no host has kept a release before 1.0.0", "h1 1.0.0@1")
	f("no host has kept a release before 1.1.0", "h1 1.1.0@2", "h2 1.0.0@1")

	// All alike; an older version that was deployed on purpose.
	f("1.1.0 > 1.0.0: h1=10 h2=10", "h1 1.0.0@1 1.1.0@2", "h2 1.0.0@1 1.1.0@3")
	f("1.2.0 > 1.1.0: h1=11", "h1 1.0.0@1 1.1.0@2 1.2.0@3")
	f("1.0.0 > 1.1.0: h1=10", "h1 1.1.0@1 1.0.0@2")

	// The configuration alone has changed, to another one on each host.
	f("1.0.0 > 1.0.0: h1=10 h2=0", "h1 1.0.0@1 1.0.0@3", "h2 1.0.0@1")
	f("1.0.0 > 1.0.0: h1=10 h2=11", "h1 1.0.0@1 1.0.0@3", "h2 0.9.0@1 1.0.0@2 1.0.0@4")

	// A roll that stopped: only where it came to is there something to undo.
	f("1.2.0 > 1.1.0: h1=11 h2=0 h3=0", "h1 1.0.0@1 1.1.0@2 1.2.0@3", "h2 1.0.0@1 1.1.0@2", "h3 1.0.0@1 1.1.0@2")
	// Clocks that agree: the newer version counts, in the order of dpkg.
	f("1.10.0 > 1.9.0: h1=10 h2=0", "h1 1.9.0@1 1.10.0@2", "h2 1.8.0@1 1.9.0@2")
	f("1.0.0 > 1.0.0~rc1: h1=10 h2=0", "h1 1.0.0~rc1@1 1.0.0@2", "h2 1.0.0~rc1@2")

	// The configuration alone, and the roll stopped: a host that it had not come to
	// stays, also when an older configuration of the version is kept there.
	f("1.1.0 > 1.1.0: h1=10 h2=0", "h1 1.1.0@2/b 1.1.0@5/c", "h2 1.1.0@1/a 1.1.0@3/b")
	f("1.1.0 > 1.1.0: h1=10 h2=11", "h1 1.1.0@2/b 1.1.0@5/c", "h2 1.1.0@1/a 1.1.0@3/b 1.1.0@6/c")
	f("1.1.0 > 1.1.0: h1=10 h2=10", "h1 1.1.0@2/b 1.1.0@5/c", "h2 1.1.0@1/a 1.1.0@3/")  // by an older kinectl: who knows
	f("1.2.0 > 1.1.0: h1=10 h2=10", "h1 1.1.0@2/b 1.2.0@5/c", "h2 1.1.0@3/b 1.2.0@6/d") // the inventory changed after a canary

	// A host that was added with the new configuration has none before.
	f("1.1.0 > 1.1.0: h1=10 h2=0, not on h2", "h1 1.1.0@1/a 1.1.0@3/b", "h2 1.1.0@4/b")
	f("1.1.0 > 1.1.0: h1=10 h2=0", "h1 1.1.0@1/a 1.1.0@3/b", "h2 1.1.0@2/c")

	// A rollback that has not come to all is finished first; then it goes further back.
	f("1.2.0 > 1.1.0: h1=0 h2=10", "h1 1.0.0@1 1.1.0@5 <1.2.0", "h2 1.1.0@2 1.2.0@3")
	f("1.2.0 > 1.1.0: h1=0 h2=0 h4=0, not on h4", "h1 1.0.0@1 1.1.0@5 <1.2.0", "h2 1.0.0@1 1.1.0@5 <1.2.0", "h4 1.2.0@3")
	f("1.1.0 > 1.0.0: h1=10 h2=10", "h1 1.0.0@1 1.1.0@5 <1.2.0", "h2 1.0.0@1 1.1.0@6 <1.2.0")
	f("1.1.0 > 1.0.0: h1=10 h2=0 h4=0, not on h4", "h1 1.0.0@1 1.1.0@5 <1.2.0", "h2 1.0.0@1", "h4 1.1.0@6")
	// The version that was left has come again.
	f("1.2.0 > 1.1.0: h1=0 h2=11", "h1 1.0.0@1 1.1.0@5 <1.2.0", "h2 1.0.0@1 1.1.0@5 1.2.0@7")

	// After a rollback in which a host went to its own, what most run counts, and not what was
	// restored last; an interrupted one is finished to what most went to.
	f("1.1.0 > 1.0.0: h1=10 h2=10 h3=0", "h1 1.0.0@1 1.1.0@11 <2.0.0", "h2 1.0.0@2 1.1.0@12 <2.0.0", "h3 1.0.1@13 <2.0.0")
	f("1.1.0 > 1.0.0: h1=10 h2=10 h3=0", "h1 1.0.0@1 1.1.0@11 <2.0.0", "h2 1.0.0@2 1.1.0@12 <2.0.0", "h3 0.9.0@1 1.0.1@13 <2.0.0")
	f("1.1.0 > 1.0.0: h1=10 h2=10 h3=0", "h1 1.0.0@1 1.1.0@5", "h2 1.0.0@2 1.1.0@6", "h3 1.0.1@13 <2.0.0") // the roll had come to h3 alone
	f("2.0.0 > 1.1.0: h1=0 h2=0 h3=0 h4=10", "h1 1.0.0@1 1.1.0@11 <2.0.0", "h2 1.0.0@2 1.1.0@12 <2.0.0", "h3 1.0.1@13 <2.0.0", "h4 1.1.0@1 2.0.0@3")
	f("1.2.0 > 1.1.0: h1=10 h2=0 h3=10", "h1 1.1.0@1 1.2.0@11 <1.2.0", "h2 1.1.0@13 <1.2.0", "h3 1.1.0@2 1.2.0@12 <1.2.0") // of the configuration alone
	f("1.0.1 > 0.9.0: h1=0 h3=10", "h1 1.0.0@1 1.1.0@11 <2.0.0", "h3 0.9.0@1 1.0.1@13 <2.0.0")                             // as many: the newest

	f("1.3.0 > 1.1.0: h1=0 h2=0 h3=10", "h1 1.1.0@11 <1.2.0", "h2 1.1.0@12 <1.3.0", "h3 1.1.0@1 1.3.0@5") // two rollbacks, one of them not done

	// What most had before counts, and not what a canary tried; without it each has its own.
	f("4.2.0 > 3.1.0: h1=10 h2=10 h3=10", "h1 3.1.0@1 4.1.0@5 4.2.0@7", "h2 3.1.0@1 4.2.0@8", "h3 3.1.0@1 4.2.0@9")
	f("2.0.0 > 1.1.0: h1=10 h2=11 h3=10, own h1", "h1 1.0.1@4 2.0.0@7", "h2 1.0.1@1 1.1.0@2 2.0.0@8", "h3 1.1.0@3 2.0.0@9")
	f("1.2.0 > 1.1.0: h1=10 h2=0 h3=10, not on h2", "h1 1.1.0@2 1.2.0@3", "h2 1.2.0@3 1.2.0@5", "h3 1.1.0@2 1.2.0@4")
	f("1.2.0 > 1.2.0: h1=11 h2=10, own h2", "h1 1.1.0@1/a 1.2.0@3/b 1.2.0@5/c", "h2 1.1.0@2/a 1.2.0@6/c")

	// A release that only some hosts have; hosts without a say.
	f("1.2.0 > 1.1.0: h1=10 h2=10, own h1", "h1 1.0.0@1 1.2.0@3", "h2 1.1.0@2 1.2.0@3")
	f("1.2.0 > 1.1.0: h1=10 h2=0 h3=0, not on h2 h3", "h1 1.1.0@2 1.2.0@3", "h2 1.2.0@3", "h3 1.2.0@3")
	f("1.2.0 > 1.1.0: h1=10 h2=0 h3=0", "h1 1.1.0@2 1.2.0@3", "h2", "h3 ?")
}

func TestTo(t *testing.T) {
	f := func(want, version string, hosts ...string) {
		t.Helper()
		inAnyOrder(t, func(all []HostStatus) (Goal, error) { return To(all, version), nil }, want, hosts)
	}
	f(" > 1.0.0: h1=10 h2=10", "1.0.0", "h1 1.0.0@1 1.1.0@2 1.2.0@3", "h2 1.0.0@1 1.2.0@3")
	f(" > 1.0.0: h1=11", "1.0.0", "h1 1.0.0@1 1.0.0@2 1.1.0@3") // with its newest configuration
	f(" > 1.0.0: h1=0 h2=10", "1.0.0", "h1 1.0.0@1", "h2 1.0.0@1 1.1.0@2")
	f(" > 1.0.0: h1=10 h2=0", "1.0.0", "h1 1.0.0@1 1.1.0@2", "h2 ?")
	f(" > 1.0.0: h1=0 h2=10 h3=0, not on h1 h3", "1.0.0", "h1 1.1.0@1", "h2 1.0.0@1 1.1.0@2", "h3")
	f(" > 1.0: h1=0, not on h1", "1.0", "h1 1.0.0@1 1.1.0@2")
}
