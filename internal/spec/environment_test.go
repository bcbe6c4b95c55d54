package spec

import (
	"fmt"
	"strings"
	"testing"
)

// block wraps lines of variables in a spec.
func block(text string) []byte {
	return []byte("service:\n  name: my-api\n  group: apps\n  description: d\n  environments: |\n    " +
		strings.ReplaceAll(text, "\n", "\n    ") + "\n")
}

// show writes a variable as name=[literal]{expression}…
func show(v Variable) string {
	var b strings.Builder
	b.WriteString(v.Name + "=")
	for _, p := range v.Parts {
		if p.Expression != "" {
			fmt.Fprintf(&b, "{%s}", p.Expression)
			continue
		}
		fmt.Fprintf(&b, "[%s]", p.Literal)
	}
	return b.String()
}

func TestEnvironment(t *testing.T) {
	f := func(in string, want ...string) {
		t.Helper()
		s, findings := Parse("spec.yml", block(in))
		if len(findings) > 0 {
			t.Errorf("%q: %v", in, findings)
			return
		}
		var got []string
		for _, v := range s.Environment {
			got = append(got, show(v))
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	f("A=1", "A=[1]")
	f("A=1\n\n# c\n; c\nB=2", "A=[1]", "B=[2]")
	f("A=", "A=")
	f("A=   ", "A=")
	f(`A=""`, "A=")
	f("A = x", "A=[x]")
	f("A=x  y  ", "A=[x  y]")
	f("A=a=b=c", "A=[a=b=c]")
	f(`A=x"y"z'`, `A=[x"y"z']`)
	f(`A='x y '`, "A=[x y ]")
	f(`A='x\y"$z'`, `A=[x\y"$z]`)
	f(`A="x\"\\\$\`+"`"+`\n"`, `A=[x"\$`+"`"+`\n]`)
	f(`A=x\yz\\`, `A=[xyz\]`)
	f("A=x\\\ny", "A=[xy]")
	f("A=x \\\n", "A=[x ]")
	f("A=\"x\\\ny\"", "A=[xy]")
	f("A='x\ny'", "A=[x\ny]")
	f(`A="x"'y'z`, "A=[xyz]")
	f(`A=x\ `, `A=[x ]`)
	f("A=größe世", "A=[größe世]")
	f("A={{ a }}", "A={a}")
	f("A={{a}}{{ b }}", "A={a}{b}")
	f("A=:{{ port }}", "A=[:]{port}")
	f(`A="x {{ a }} y "`, "A=[x ]{a}[ y ]")
	f(`A={{ a }} y `, "A={a}[ y]")
	f(`A={{ a | default("}}") }}`, `A={a | default("}}")}`)
	f(`A=\{{ a }}`, "A=[{{ a }}]")
	f(`A=\{% x %}`, "A=[{% x %}]")
	f(`A={"a":{"b":1}}`, `A=[{"a":{"b":1}}]`)
}

func TestEnvironmentFaults(t *testing.T) {
	f := func(in string, want string) {
		t.Helper()
		_, findings := Parse("spec.yml", block(in))
		var got []string
		for _, x := range findings {
			// As line and column inside of the block.
			got = append(got, fmt.Sprintf("%d:%d+%d %s", x.Line-5, x.Column-4, x.Width, x.Rule))
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%q: got %s, want %s", in, strings.Join(got, ", "), want)
		}
	}
	f("A=1\nx\nB=2", "2:1+1 bad-line")
	f("A=1\n1A=x", "2:1+2 bad-variable")
	f("=x", "1:1+0 bad-variable")
	f("export A=x", "1:1+8 bad-variable")
	f("Ä=x", "1:1+1 bad-variable")
	f("A=1\nB=2\nA=3", "3:1+1 duplicate-variable")
	f("A=1\nB='x\ny", "2:3+1 unclosed-quote")
	f(`A="x\`, "1:3+1 unclosed-quote")
	f(`A="x" y`, "1:7+1 bad-line")
	f("# c\\\nA=1", "1:1+1 bad-line")
	f("A={{ a", "1:3+2 bad-expression")
	f("A=ä{{ a\nB=1", "1:4+2 bad-expression")
	f("A={{ }}", "1:6+1 bad-expression")
	f("A={{ 1a }}", "1:6+1 bad-expression")
	f("A={{ f(1) }}", "1:7+1 bad-expression")
	f("A={{ a b }}", "1:8+1 bad-expression")
	f("A={{ a | }}", "1:10+1 bad-expression")
	f("A={{ a | f(1 2) }}", "1:14+1 bad-expression")
	f("A={{ a['b' }}", "1:12+1 bad-expression")
	f("A={{ a | f('b) }}", "1:3+2 bad-expression")
	f("A={% if x %}\nB={# x #}", "1:3+2 bad-expression, 2:3+2 bad-expression")
}

func TestNeeds(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		s, findings := Parse("spec.yml", block("A={{ "+in+" }}"))
		if len(findings) > 0 {
			t.Errorf("%q: %v", in, findings)
			return
		}
		if got := strings.Join(s.Environment[0].Parts[0].Needs, " "); got != want {
			t.Errorf("%q needs %q, want %q", in, got, want)
		}
	}
	f("a", "a")
	f("a.b.c", "a")
	f("a['b'][0]", "a")
	f("a | lower", "a")
	f("a | default('x')", "")
	f("a | d(b)", "b")
	f("a | lower | default('x')", "a")
	f("b | f(a, 1, 'c', true, k=d, l='e', m=b.x)", "a b d")
	f("a | ansible.builtin.b64encode", "a")
}
