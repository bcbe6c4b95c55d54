package scaffold

import (
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// TestPipeline holds what can be told of the files without running them: they
// are YAML, their shell is shell, and what they want to be set stands in their
// head. The end-to-end tests run them.
func TestPipeline(t *testing.T) {
	variable := regexp.MustCompile(`KINECTL_[A-Z_]+`)
	var paths []string
	for _, system := range Pipelines() {
		files, err := Pipeline(system)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			paths = append(paths, f.Path)
			text := string(f.Body)
			var top map[string]any
			if err := yaml.Unmarshal(f.Body, &top); err != nil {
				t.Errorf("%s: %v", f.Path, err)
			}
			scripts := shell(top)
			if len(scripts) < 2 {
				t.Errorf("%s: %d pieces of shell", f.Path, len(scripts))
			}
			for _, s := range scripts {
				cmd := exec.Command("bash", "-n")
				cmd.Stdin = strings.NewReader(s)
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("%s: %v: %s\n%s", f.Path, err, out, s)
				}
			}
			head, rest, _ := strings.Cut(text, "\n\n")
			for _, name := range variable.FindAllString(rest, -1) {
				if !strings.Contains(head, name) && !strings.Contains(rest, name+": production") {
					t.Errorf("%s: nobody is told to set %s", f.Path, name)
				}
			}
			// What holds a secret is read from the environment, never written out.
			if bad := regexp.MustCompile(`echo.*_KEY|set -x|--key "?\$`).FindString(text); bad != "" {
				t.Errorf("%s: %s", f.Path, bad)
			}
		}
	}
	if want := []string{".gitlab-ci.yml", ".github/actions/kinectl/action.yml", ".github/workflows/release.yml"}; !slices.Equal(paths, want) {
		t.Errorf("%q", paths)
	}
	for _, system := range []string{"", "git", "jenkins"} {
		if _, err := Pipeline(system); err == nil {
			t.Errorf("there is a pipeline for %q", system)
		}
	}
}

// shell returns what stands below run, script and before_script, wherever.
func shell(v any) (found []string) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			found = append(found, shell(e)...)
		}
	case map[string]any:
		for key, e := range v {
			if !slices.Contains([]string{"run", "script", "before_script"}, key) {
				found = append(found, shell(e)...)
				continue
			}
			switch e := e.(type) {
			case string:
				found = append(found, e)
			case []any:
				for _, line := range e {
					if s, ok := line.(string); ok {
						found = append(found, s)
					}
				}
			}
		}
	}
	return found
}
