package unit

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"unicode"

	"go.yaml.in/yaml/v4"

	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/spec"
)

// poisoned is the plan with every key of the spec, in which every free string
// is one of the two.
func poisoned(p plan.Plan, line, word string) plan.Plan {
	c := plan.Command{{{Literal: "/usr/bin/" + word}}, {{Literal: word}}, {{Literal: word}, {Variable: "A"}, {Literal: word}}, {}}
	limits := plan.Limits{MemoryMax: line, NoFile: 1, TasksMax: 2, Nice: 3, AllowedCPUs: "x" + line, CPUQuota: "x" + line}
	p.Description = line
	p.Unit.User, p.Unit.Group, p.Unit.StopSignal, p.Unit.Limits = line, word, line, limits
	p.Unit.Start, p.Unit.Stop, p.Unit.Reload = c, c, c
	p.Deploy.Probe = plan.Probe{Type: "exec", Command: c}
	p.Timers = []plan.Timer{{Name: "task", OnCalendar: line, Exec: c, Limits: limits}}
	p.Sockets = []plan.Socket{{Protocol: "unix", Address: line}, {Protocol: "udp", Address: "x:" + line}}
	p.Unit.Sandbox = plan.Sandbox{Capabilities: []string{line}, Allow: []plan.Loosening{
		{Name: "devices", Values: []string{line, word}},
		{Name: "groups", Values: []string{word}},
		{Name: "system-calls", Values: []string{line}},
		{Name: "write", Values: []string{word, line}},
		{Name: "jit"},
		{Name: line},
	}}
	return p
}

// given is what of a string can reach a program: all but what is no UTF-8, and
// NUL.
func given(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, " "), "\x00", "")
}

// shown is what of a string can stand in a line of text.
func shown(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, " ")))
}

// harmless fails the test unless the strings, wherever they stand, change
// nothing but the values of their directives, which hold them to the letter.
func harmless(t *testing.T, base plan.Plan, line, word string) {
	t.Helper()
	plain, got := units(poisoned(base, "plain", "plain")), units(poisoned(base, line, word))
	if len(got) != len(plain) {
		t.Fatalf("%q, %q: %d units of %d", line, word, len(got), len(plain))
	}
	tail := []string{"", ": while it restarts", ": sockets", ": task", ": task: timer", ": probe"}
	argv := []string{"/usr/bin/" + given(word), given(word), given(word) + "\x00A\x00" + given(word), ""}
	for i, u := range got {
		lines := read(t, u.body)
		if want := keys(read(t, plain[i].body)); keys(lines) != want {
			t.Fatalf("%q, %q change the directives of %s:\n%s\nwant\n%s", line, word, u.name, keys(lines), want)
		}
		description := unspecified(t, value(lines, "Description"))
		if want := shown(line + tail[i]); description != want {
			t.Errorf("%s: the description is %q, want %q", u.name, description, want)
		}
		for _, key := range []string{"ExecStart", "ExecStop", "ExecReload"} {
			written := value(lines, key)
			if written == "" {
				continue
			}
			var words []string
			for _, w := range split(t, unspecified(t, written)) {
				words = append(words, expanded(t, w, func(name string) string { return "\x00" + name + "\x00" }))
			}
			if !slices.Equal(words, argv) {
				t.Errorf("%s: %s is %q, want %q", u.name, key, words, argv)
			}
		}
	}
}

// FuzzUnits holds that no string of a plan leaves its directive.
func FuzzUnits(f *testing.F) {
	words := hostile()
	for i, w := range words {
		f.Add(w, words[(i+7)%len(words)])
	}
	base := everyKey(f)
	f.Fuzz(func(t *testing.T, line, word string) { harmless(t, base, line, word) })
}

// TestHostileSpec puts every hostile word in the place of every string of the
// spec that has every key. What the spec lets through must be harmless.
func TestHostileSpec(t *testing.T) {
	source := everyKey(t).Spec
	plain := units(everyKey(t))
	var tried, through atomic.Int64
	t.Run("words", func(t *testing.T) {
		for i, word := range hostile() {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				var doc yaml.Node
				if err := yaml.Unmarshal(source, &doc); err != nil {
					t.Fatal(err)
				}
				place := 0
				scalars(&doc, "", func(path string, n *yaml.Node) {
					old := *n
					defer func() { *n = old }()
					v := word
					if place++; (place+i)%2 == 0 { // each word alone in every other place, behind the value in the rest
						v = old.Value + word
					}
					tried.Add(1)
					*n = yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: v, Style: yaml.DoubleQuotedStyle}
					src, err := yaml.Marshal(&doc)
					if err != nil {
						return // no YAML can hold it
					}
					s, findings := spec.Parse("spec.yml", src)
					if findings.HasErrors() {
						return
					}
					through.Add(1)
					same(t, path, v, units(plan.Build(s, plan.Facts{})), plain)
				})
			})
		}
	})
	t.Logf("tried %d pairs, %d were let through", tried.Load(), through.Load())
	if tried.Load() < 60*int64(len(hostile())) || through.Load() < 200 {
		t.Errorf("tried %d pairs, and %d were let through", tried.Load(), through.Load())
	}
}

// same compares the directives of the units but for those that a change of
// this key makes or takes away by design.
func same(t *testing.T, path, word string, got, plain []unitFile) {
	t.Helper()
	counts := func(units []unitFile) map[string]int {
		n := map[string]int{}
		for _, u := range units {
			for _, l := range read(t, u.body) {
				n[l.section+" "+l.key]++
			}
		}
		return n
	}
	a, b := counts(got), counts(plain)
	for key := range a {
		if b[key] == 0 {
			t.Errorf("%s: %q makes a directive %s", path, word, key)
		}
	}
	if strings.HasPrefix(path, "service.description") || strings.HasPrefix(path, "service.exec.start") {
		if fmt.Sprint(a) != fmt.Sprint(b) {
			t.Errorf("%s: %q changes the number of directives", path, word)
		}
	}
}

// scalars calls f for every scalar that is a value.
func scalars(n *yaml.Node, path string, f func(path string, n *yaml.Node)) {
	switch n.Kind {
	case yaml.ScalarNode:
		f(path, n)
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			scalars(n.Content[i+1], strings.TrimPrefix(path+"."+n.Content[i].Value, "."), f)
		}
	default:
		for i, c := range n.Content {
			inner := path
			if n.Kind == yaml.SequenceNode {
				inner = fmt.Sprintf("%s[%d]", path, i)
			}
			scalars(c, inner, f)
		}
	}
}
