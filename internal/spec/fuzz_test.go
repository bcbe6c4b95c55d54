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
	var b strings.Builder
	_ = findings.Write(&b, false)
}

func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/findings/*.yml")
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		s, findings := Check("spec.yml", src)
		inside(t, s, findings)
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
