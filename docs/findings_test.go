package docs

import (
	"slices"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/internal/diag"
	"github.com/kinectl/kinectl/internal/spec"
)

// section is what findings.md says of one rule: its first line, and examples.
type section struct {
	first    string
	examples []block
}

func sections(page string) map[string]section {
	all := map[string]section{}
	for _, part := range strings.Split(page, "\n### `")[1:] {
		name, body, _ := strings.Cut(part, "`\n")
		body, _, _ = strings.Cut(body, "\n## ")
		first, _, _ := strings.Cut(strings.TrimSpace(body), "\n")
		all[name] = section{first, blocks(body)}
	}
	return all
}

// example is the file that a block of findings.md stands for.
func (b block) example() []byte {
	text := strings.Join(b.lines, "\n") + "\n"
	if info := strings.Fields(b.info); !slices.Contains(info, "file") {
		text = "service:\n  name: films\n  group: applications\n  description: Films\n  " + strings.Join(b.lines, "\n  ") + "\n"
	}
	if strings.HasSuffix(b.info, " repeated") {
		last := text[strings.LastIndexByte(text[:len(text)-1], '\n')+1:]
		text += strings.Repeat(last, (spec.MaxSize+1-len(text))/len(last))
		if strings.Contains(last, "#") {
			text += last // a comment makes a file large, and nothing else
		}
	}
	return []byte(strings.ReplaceAll(text, "␇", "\a"))
}

// TestFindings holds findings.md to the rules: each has a section that says
// what it is, a wrong example in which it is found, and a right one without it
// and without any error.
func TestFindings(t *testing.T) {
	all := sections(pages(t)["findings.md"])
	for _, r := range spec.Rules() {
		s, ok := all[r.Name]
		if !ok {
			t.Errorf("findings.md has no section of %s", r.Name)
			continue
		}
		delete(all, r.Name)
		want := string(r.Severity)
		if r.Silenceable {
			want += ", can be silenced"
		}
		if want += ": " + r.Doc; s.first != want {
			t.Errorf("%s begins with %q, not with %q", r.Name, s.first, want)
		}
		t.Run(r.Name, func(t *testing.T) { tryExamples(t, r, s.examples) })
	}
	for name := range all {
		t.Errorf("findings.md has a section of %s, which is no rule", name)
	}
}

func tryExamples(t *testing.T, r spec.Rule, examples []block) {
	var beside *spec.Spec
	tried := map[string]int{}
	for _, b := range examples {
		kind := ""
		if info := strings.Fields(b.info); len(info) > 1 && info[0] == "yaml" {
			kind = info[1]
		}
		s, findings := spec.Check("spec.yml", b.example())
		if strings.HasSuffix(b.info, " beside") {
			beside = s
			continue
		}
		if beside != nil {
			findings = append(findings, spec.Clashes([]*spec.Spec{beside, s})[1]...)
		}
		found := slices.ContainsFunc(findings, func(f diag.Finding) bool { return f.Rule == r.Name })
		switch kind {
		case "wrong":
			if !found {
				t.Errorf("line %d: %s is not found, but %+v", b.line, r.Name, findings)
			}
		case "right":
			if strings.HasSuffix(b.info, " repeated") || found || findings.HasErrors() {
				t.Errorf("line %d: %+v", b.line, findings)
			}
		}
		tried[kind]++
	}
	// What the infra repository or a package's files decide has its own tests.
	if r.Beyond && len(examples) == 0 {
		return
	}
	if tried["wrong"] == 0 || tried["right"] == 0 {
		t.Errorf("a wrong and a right example are wanted, not %v", tried)
	}
}
