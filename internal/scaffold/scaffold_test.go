package scaffold

import (
	"strings"
	"testing"

	"github.com/kinectl/kinectl/internal/spec"
)

func TestName(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		if got := Name(in); got != want {
			t.Errorf("Name(%q) = %q, want %q", in, got, want)
		}
	}
	f("my-api", "my-api")
	f("My API_v2", "my-api-v2")
	f("--x1--", "x1")
	f("2fast", "fast")
	f("é", "")
	f("x", "")
	f("", "")
	f(strings.Repeat("a", 30)+"-bcd", strings.Repeat("a", 30))
}

// TestService holds that no word of the example is left, and that the spec
// has no finding. That the source builds is tested with the verb.
func TestService(t *testing.T) {
	files, err := Service("my-api")
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, f := range files {
		paths = append(paths, f.Path)
		text := strings.ReplaceAll(string(f.Body), "hello from", "")
		if strings.Contains(text, "hello") || strings.Contains(text, "ault(") {
			t.Errorf("%s speaks of the example:\n%s", f.Path, f.Body)
		}
		if f.Path == "spec.yml" {
			s, findings := spec.Check(f.Path, f.Body)
			if len(findings) > 0 || s.Name.V != "my-api" {
				t.Errorf("%+v", findings)
			}
		}
	}
	if got := strings.Join(paths, " "); got != "main.go metrics.go README.md go.mod spec.yml" {
		t.Errorf("files: %s", got)
	}
}
