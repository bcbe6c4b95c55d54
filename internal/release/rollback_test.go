package release

import (
	"fmt"
	"maps"
	"strings"
	"testing"
)

// kept builds the status of hosts h1, h2, … from words like "1:1.0.0@100":
// release number, version, time. An empty text is a host that has kept nothing.
func kept(hosts ...string) []HostStatus {
	var all []HostStatus
	for i, text := range hosts {
		h := HostStatus{Host: fmt.Sprintf("h%d", i+1), Health: Healthy}
		for word := range strings.FieldsSeq(text) {
			var k Kept
			number, rest, _ := strings.Cut(word, ":")
			v, when, _ := strings.Cut(rest, "@")
			_, _ = fmt.Sscan(number, &k.Release)
			_, _ = fmt.Sscan(when, &k.When)
			k.Version = v
			h.Kept = append(h.Kept, k)
		}
		all = append(all, h)
	}
	return all
}

func TestPrevious(t *testing.T) {
	f := func(name string, hosts []string, from, to string, releases map[string]int, problem string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			goal, err := Previous(kept(hosts...))
			if problem != "" {
				if err == nil || err.Error() != problem {
					t.Fatalf("error %v, want %s", err, problem)
				}
				return
			}
			if err != nil || goal.From != from || goal.To != to || !maps.Equal(goal.Releases, releases) {
				t.Errorf("%+v, %v; want %s → %s %v", goal, err, from, to, releases)
			}
		})
	}
	f("nothing kept", []string{"", ""}, "", "", nil, "no host has a release to go back from")
	f("one release", []string{"1:1.0.0@10", "1:1.0.0@11"}, "", "", nil, "no host has kept a release before 1.0.0")
	f("all hosts alike", []string{"1:1.0.0@10 2:1.1.0@20", "4:1.0.0@11 5:1.1.0@21"},
		"1.1.0", "1.0.0", map[string]int{"h1": 1, "h2": 4}, "")
	f("a roll that stopped early: hosts that it never came to stay",
		[]string{"1:1.0.0@10 2:1.1.0@20 3:1.2.0@30", "1:1.0.0@11 2:1.1.0@21", "1:1.0.0@12 2:1.1.0@22"},
		"1.2.0", "1.1.0", map[string]int{"h1": 2, "h2": 0, "h3": 0}, "")
	f("a configuration alone", []string{"1:1.0.0@10 2:1.0.0@20", "3:1.0.0@11 4:1.0.0@21"},
		"1.0.0", "1.0.0", map[string]int{"h1": 1, "h2": 3}, "")
	f("gone back already: the newest by time, not by version",
		[]string{"1:0.9.0@5 4:1.0.0@40", "1:0.9.0@6 4:1.0.0@41"}, "1.0.0", "0.9.0", map[string]int{"h1": 1, "h2": 1}, "")
	f("the same second: by version as dpkg orders it", []string{"1:1.9.0@10 2:1.10.0@20", "1:1.9.0@20"},
		"1.10.0", "1.9.0", map[string]int{"h1": 1, "h2": 0}, "")
	f("a host without the service stays", []string{"1:1.0.0@10 2:1.1.0@20", ""},
		"1.1.0", "1.0.0", map[string]int{"h1": 1, "h2": 0}, "")
	f("a host that has not kept it", []string{"1:1.0.0@10 2:1.1.0@20", "1:1.1.0@21"}, "", "", nil, "h2 has not kept 1.0.0")
}

func TestTo(t *testing.T) {
	goal, err := To(kept("1:1.0.0@10 2:1.1.0@20 3:1.2.0@30", "7:1.0.0@11"), "1.0.0")
	if err != nil || !maps.Equal(goal.Releases, map[string]int{"h1": 1, "h2": 0}) {
		t.Errorf("%+v, %v", goal, err)
	}
	if _, err := To(kept("1:1.1.0@20", ""), "1.0.0"); err == nil || err.Error() != "h1 h2 has not kept 1.0.0" {
		t.Errorf("error %v", err)
	}
}
