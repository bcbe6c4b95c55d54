package spec

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/kinectl/kinectl/internal/diag"
)

// inside fails unless every finding points into the file.
func inside(t *testing.T, s *Spec, findings diag.Findings) {
	t.Helper()
	for _, f := range findings {
		switch {
		case f.Rule == "" || f.Message == "" || strings.Contains(f.Message, "\n"):
			t.Errorf("unfit for people: %+v", f)
		case f.Line == 0 && f.Column == 0:
		case f.Line < 1 || f.Line > max(len(s.lines), 1) || f.Column < 1:
			t.Errorf("outside of the file: %+v", f)
		case f.Line <= len(s.lines) && f.Column > utf8.RuneCountInString(s.lines[f.Line-1])+1:
			t.Errorf("outside of its line: %+v", f)
		}
	}
	if len(findings) > MaxFindings+1 {
		t.Errorf("%d findings", len(findings))
	}
	for _, f := range findings {
		if _, ok := rule(f.Rule); !ok {
			t.Errorf("the rule %s is not in the list", f.Rule)
		}
	}
	var b strings.Builder
	_ = findings.Write(&b, false)
}

func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/findings/*.yml")
	files = append(files, "testdata/every-key.yml")
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	f.Add([]byte("# lint:ignore no-memory-limit x\nservice:\n  name: |2\n   # lint:file-ignore plain-secret y\n  x: \"a\n  # lint: z\"\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		s, findings := Check("spec.yml", src)
		inside(t, s, findings)
		for _, f := range findings {
			for line, places := range s.hidden {
				// What is hidden is hidden in every excerpt.
				if f.Line == line && len(places) > 0 && f.Excerpt == s.lines[line-1] && strings.Trim(f.Excerpt, "*") != "" && places[0].Width > 0 && column(f.Excerpt, places[0].Column) != "" && !strings.HasPrefix(column(f.Excerpt, places[0].Column), "*") {
					t.Errorf("the secret in line %d is shown: %q", line, f.Excerpt)
				}
			}
		}
	})
}

func FuzzEnvironment(f *testing.F) {
	for _, s := range []string{"A=1", "A='x\ny'", "A=\"\\\"{{ a }}\"", "A=\\\n{{ a | f(b, c='}}') }} #", "# x\\\n;\n=\nA", "A={%\t{#"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, findings := Parse("spec.yml", block(text))
		inside(t, s, findings)
		for _, v := range s.Environment {
			for _, p := range v.Parts {
				if (p.Literal == "") == (p.Expression == "") {
					t.Errorf("%q: part %+v is neither text nor expression", text, p)
				}
			}
		}
	})
}
