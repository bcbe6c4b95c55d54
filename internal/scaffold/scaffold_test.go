package scaffold

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/internal/artifact"
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

// TestTemplates holds that each folder is a template with a name, that no word of
// it is left in a service, and that the spec has no finding. That the source
// builds is tested with the verb.
func TestTemplates(t *testing.T) {
	folders, err := fs.ReadDir(templates, "templates")
	if err != nil || len(folders) != len(Templates()) {
		t.Errorf("%d folders, %d templates, %v", len(folders), len(Templates()), err)
	}
	for _, template := range Templates() {
		files, err := Service("films", template.Name, Library{})
		if err != nil {
			t.Fatal(err)
		}
		var paths []string
		for _, f := range files {
			paths = append(paths, f.Path)
			for _, word := range []string{"my-service", "my_service", "scaffold", "emplate"} {
				if strings.Contains(string(f.Body), word) {
					t.Errorf("%s: %s has the word %q", template.Name, f.Path, word)
				}
			}
			if f.Path == "spec.yml" {
				if s, findings := spec.Check(f.Path, f.Body); len(findings) > 0 || s.Name.V != "films" {
					t.Errorf("%s: %+v", template.Name, findings)
				}
			}
		}
		for _, want := range []string{".gitignore", "README.md", "go.mod", "main.go", "main_test.go", "spec.yml"} {
			if !slices.Contains(paths, want) {
				t.Errorf("%s: there is no %s among %s", template.Name, want, paths)
			}
		}
		if !slices.IsSorted(paths) {
			t.Errorf("%s: the order is %s", template.Name, paths)
		}
	}
	if _, err := Service("films", "cobol", Library{}); err == nil {
		t.Error("there is a template cobol")
	}
}

// TestLeftovers holds that what a build makes in a template does not travel.
func TestLeftovers(t *testing.T) {
	files, err := Service("films", "site", Library{})
	if err != nil {
		t.Fatal(err)
	}
	var assets []string
	for _, f := range files {
		if strings.HasPrefix(f.Path, "assets/") {
			assets = append(assets, f.Path)
		}
	}
	if !slices.Equal(assets, []string{"assets/.gitkeep"}) {
		t.Errorf("assets has %q", assets)
	}
}

func TestRelease(t *testing.T) {
	f := func(kinectl, want string) {
		t.Helper()
		l, ok := Release(kinectl)
		if ok != (want != "") || l.version != want || l.Somewhere() != ok {
			t.Errorf("Release(%q) = %+v, %v, want %q", kinectl, l, ok, want)
		}
	}
	f("1.2.3", "v1.2.3")
	f("v1.2.3", "v1.2.3")
	f("1.2.3-rc1", "v1.2.3-rc1")
	f("1.2.3-4-gabc1234", "")
	f("1.2.3-dirty", "")
	f("dev", "")
	f("abc1234", "")
	f("", "")
}

func TestCheckout(t *testing.T) {
	l, err := Checkout("../..")
	if err != nil {
		t.Fatal(err)
	}
	root, _ := filepath.Abs("../..")
	if !l.Somewhere() || l.dir != root || len(l.sums) == 0 {
		t.Errorf("%+v", l)
	}
	if _, err := Checkout(t.TempDir()); err == nil {
		t.Error("an empty folder is a checkout")
	}
	other := t.TempDir()
	for name, text := range map[string]string{"service/go.mod": "module example.com/service\n", "vault/go.mod": "module " + vaultModule + "\n", "service/go.sum": ""} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(other, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(other, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Checkout(other); err == nil || !strings.Contains(err.Error(), "is not of "+libraryModule) {
		t.Errorf("another's service: %v", err)
	}
}

// TestGoMod lets go read what is written, also for a checkout with an unusual
// path.
func TestGoMod(t *testing.T) {
	f := func(l Library, want ...string) {
		t.Helper()
		files := l.files("films")
		i := slices.IndexFunc(files, func(f artifact.File) bool { return f.Path == "go.mod" })
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "go.mod"), files[i].Body, 0o644); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("go", "mod", "edit", "-print")
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if string(out) != string(files[i].Body) {
			t.Errorf("go would write it otherwise:\n%s\nit is:\n%s", out, files[i].Body)
		}
		for _, w := range want {
			if !strings.Contains(string(out), w) {
				t.Errorf("%s lacks %q", out, w)
			}
		}
		if replaces := strings.Count(string(out), "=>"); replaces != map[bool]int{true: 2}[l.dir != ""] {
			t.Errorf("%d replacements in\n%s", replaces, out)
		}
	}
	f(Library{version: "v1.2.3"}, "module films\n", "\t"+libraryModule+" v1.2.3\n", "\t"+vaultModule+" v1.2.3 // indirect\n")
	f(Library{}, "\t"+libraryModule+" v0.0.0\n")
	for _, dir := range []string{"/src/kinectl", "/src/my kinectl", "/src/a(b)", `/src/it's "it"`, "/src/a,b"} {
		f(Library{dir: dir}, fmt.Sprintf("\t%s => %s\n", libraryModule, quoted(dir+"/service")))
	}
}
