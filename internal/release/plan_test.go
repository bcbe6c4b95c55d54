package release

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/version"
)

func TestAtOnce(t *testing.T) {
	f := func(want int, serial, out string) {
		t.Helper()
		var is []bool
		for _, c := range out {
			is = append(is, c == 'x')
		}
		if got := atOnce(strings.Fields(serial), is); got != want {
			t.Errorf("%s of %s: got %d, want %d", serial, out, got, want)
		}
	}
	f(0, "1", "")
	f(1, "1", "xxxxxx")
	f(2, "2", "xxxxx")
	f(1, "25%", "xxxxxx") // of six: one
	f(3, "50%", "xxxxxx")
	f(1, "1%", "xx") // one at least
	f(6, "100%", "xxxxxx")
	f(4, "1 25% 100%", "xxxxxx")
	f(2, "1 2", "xxxxx") // the last size again
	f(9, "20", "xxxxxxxxx")
	f(0, "100%", "......") // nothing restarts, or old and new overlap
	f(1, "2", "x..x..")
	f(2, "100%", "x..x..")
}

func TestDifference(t *testing.T) {
	f := func(before, after, want string) {
		t.Helper()
		if got := difference(before, after); got != want {
			t.Errorf("%q to %q: got %q, want %q", before, after, got, want)
		}
	}
	f("", "", "")
	f("a\nb\n", "a\nb\n", "")
	f("", "a\nb\n", "+a\n+b\n")
	f("a\nb\nc\n", "a\nB\nc\n", "-b\n+B\n")
	f("--- a\n", "+++ a\n", "---- a\n++++ a\n") // lines that look like a diff's own
	const long = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n"
	f(long+"a\n", "b\n"+long, "+b\n-a\n") // far from each other
}

// said is what the module's stage "plan" prints, as Ansible tells it.
func said(event, result, from, active string, changed bool, units map[string]string, before, after string) line {
	coded := map[string]string{}
	for name, text := range units {
		coded[name] = base64.StdEncoding.EncodeToString([]byte(text))
	}
	body, _ := json.Marshal(map[string]any{
		"result": result, "reason": "as asked", "from": from, "changed": changed, "active": active, "units": coded,
		"environment": map[string]string{"old": base64.StdEncoding.EncodeToString([]byte(before)), "new": base64.StdEncoding.EncodeToString([]byte(after))},
	})
	return line{Event: event, Play: "Plan", Host: "h1", Result: body}
}

func TestPreviewed(t *testing.T) {
	p := plan.Plan{
		Name: "hello", Version: version.Version{Label: "1.1.0", Deb: "1.1.0"},
		Unit: plan.Unit{Start: plan.Line("/usr/bin/hello")},
	}
	units := map[string]string{"hello.service": "Nice=1\n"}
	f := func(want string, p plan.Plan, l line) {
		t.Helper()
		h := previewed(p, units, l)
		words := []string{h.From, h.To, string(h.Result), string(h.Restart)}
		if h.Changes {
			words = append(words, "changes")
		}
		for _, d := range h.Diffs {
			words = append(words, d.File, strings.ReplaceAll(d.Text, "\n", ";"))
		}
		if got := strings.Join(words, " "); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	same := map[string]string{"hello.service": "Nice=1\n"}
	f("1.0.0 1.1.0 planned restart changes", p, said("ok", "planned", "1.0.0", "active", true, same, "A=1\n", "A=1\n"))
	f("1.0.0 1.1.0 planned restart changes hello.service -Nice=0;+Nice=1; /etc/hello/environment -A=1;+A=2;", p,
		said("ok", "planned", "1.0.0", "active", true, map[string]string{"hello.service": "Nice=0\n"}, "A=1\n", "A=2\n"))
	f("1.0.0 1.1.0 planned restart changes hello.timer -[Timer];", p, // a unit that goes
		said("ok", "planned", "1.0.0", "active", true, map[string]string{"hello.service": "Nice=1\n", "hello.timer": "[Timer]\n"}, "", ""))
	f("1.0.0 1.1.0 planned start changes", p, said("ok", "planned", "1.0.0", "failed", true, same, "", ""))
	f(" 1.1.0 planned start changes /etc/hello/environment +A=1;", p, said("ok", "planned", "", "inactive", true, nil, "", "A=1\n"))
	f("1.1.0 1.1.0 planned none", p, said("ok", "planned", "1.1.0~deb12", "active", false, same, "", ""))
	f("1.0.0 1.1.0 locked restart changes", p, said("ok", "locked", "1.0.0", "active", true, same, "", ""))
	f("1.0.0 1.1.0 failed none", p, said("ok", "failed", "1.0.0", "active", true, same, "", ""))
	f(" 1.1.0 unreachable none", p, line{Event: "unreachable", Host: "h1", Result: json.RawMessage(`{"msg":"refused"}`)})
	f(" 1.1.0 failed none", p, line{Event: "failed", Host: "h1", Result: json.RawMessage(`{"msg":"no module"}`)})

	jobs := p
	jobs.Unit.Start = nil
	f("1.0.0 1.1.0 planned none changes", jobs, said("ok", "planned", "1.0.0", "inactive", true, same, "", ""))

	// Old and new can overlap on a socket that is there already, and the same.
	swaps := p
	swaps.Deploy.Overlap = true
	f("1.0.0 1.1.0 planned restart changes", swaps, said("ok", "planned", "1.0.0", "active", true, same, "", ""))
	units["hello.socket"] = "[Socket]\n"
	f("1.0.0 1.1.0 planned overlap changes", swaps, said("ok", "planned", "1.0.0", "active", true, units, "", ""))
	f("1.0.0 1.1.0 planned restart changes hello.socket -[Other];+[Socket];", swaps,
		said("ok", "planned", "1.0.0", "active", true, map[string]string{"hello.service": "Nice=1\n", "hello.socket": "[Other]\n"}, "", ""))
}
