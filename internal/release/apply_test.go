package release

import (
	"errors"
	"fmt"
	"testing"
)

func TestLacks(t *testing.T) {
	members := func(group string) ([]string, error) {
		hosts, ok := map[string][]string{"apps": {"h1", "h2", "h3"}, "cdn": {"h3", "h4"}}[group]
		if !ok {
			return nil, errors.New("no such group")
		}
		return hosts, nil
	}
	// f describes hosts as service, host, version, group.
	f := func(hosts [][4]string, lost, limit, want string, skew bool) {
		t.Helper()
		found := &Surveyed{Lost: map[string]string{}}
		for _, h := range hosts {
			found.Services = append(found.Services, HostStatus{Service: h[0], Host: h[1], Version: h[2], Group: h[3]})
		}
		if lost != "" {
			found.Lost[lost] = "down"
		}
		got, err := lacks(found, members, func(h string) bool { return limit == "" || h == limit })
		if text := fmt.Sprint(got); text != want || errors.Is(err, ErrSkew) != skew {
			t.Errorf("%v: %s, %v; want %s", hosts, text, err, want)
		}
	}
	f(nil, "", "", "[]", false)
	f([][4]string{{"a", "h1", "1.0", "apps"}, {"a", "h2", "1.0", "apps"}}, "", "", "[{a apps 1.0 [h3]}]", false)
	f([][4]string{{"a", "h1", "1.0", "apps"}, {"a", "h2", "", ""}, {"b", "h4", "2.0", "cdn"}}, "", "", "[{a apps 1.0 [h2 h3]} {b cdn 2.0 [h3]}]", false)
	f([][4]string{{"a", "h1", "1.0", "apps"}}, "", "h2", "[{a apps 1.0 [h2]}]", false)
	f([][4]string{{"a", "h1", "1.0", "apps"}}, "", "h9", "[]", false)
	f([][4]string{{"a", "h1", "1.0", "apps"}, {"a", "h2", "1.0", "apps"}}, "h3", "", "[]", false)                           // who is down lacks nothing that can be brought
	f([][4]string{{"a", "h1", "1.0", "apps"}, {"a", "h2", "1.1", "apps"}}, "", "", "[]", true)                              // which one?
	f([][4]string{{"a", "h1", "1.0", "apps"}, {"a", "h2", "1.1", "apps"}, {"a", "h3", "1.0", "apps"}}, "", "", "[]", false) // nobody lacks it
	f([][4]string{{"a", "h1", "", ""}}, "", "", "[]", false)                                                                // removed everywhere
	f([][4]string{{"a", "h1", "1.0", "gone"}}, "", "", "[]", false)
}

func TestRecap(t *testing.T) {
	const output = "ok: [h1] => ...\nfatal: [h3]: UNREACHABLE! => {}\n...ignoring\nfatal: [h2]: FAILED! => {\"msg\": \"no\"}\n\nPLAY RECAP ****\n" +
		"h1                         : ok=31   changed=2    unreachable=0    failed=0    skipped=1    rescued=0    ignored=0   \n" +
		"h2                         : ok=3    changed=0    unreachable=1    failed=1    skipped=1    rescued=0    ignored=0   \n\n"
	if got := fmt.Sprint(recap(output)); got != "[{h1 2 0 0  } {h2 0 1 1  }]" {
		t.Error(got)
	}
	if got := recap("ERROR! no"); got != nil {
		t.Error(got)
	}
}
