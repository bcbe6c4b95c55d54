package build

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/version"
)

// TestGenerate wants what the program embeds to be made before it is built, by
// programs that are beside this one first.
func TestGenerate(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("go is not installed: nothing was generated")
	}
	dir := tree(t, map[string]string{
		"go.mod":           "module films\n\ngo 1.24\n",
		"films/main.go":    "package main\n\n//go:generate ./make\n\nimport _ \"embed\"\n\n//go:embed made\nvar made string\n\nfunc main() { print(made) }\n",
		"films/make":       "#!/bin/sh\n[ -z \"$GOGENERATE_FAILS\" ] || { echo no assets here; exit 3; }\nprintf '%s %s' \"$GOARCH\" \"$PATH\" >made\n",
		"untouched/x.go":   "package main\n\n//go:generate touch made\n",
		"untouched/README": "",
	})
	p := plan.Plan{Name: "films", Program: plan.Program{Main: "films", Generate: true}, BuildTime: time.Unix(1700000000, 0)}
	o := Options{Dir: dir, Arch: "amd64"}
	if runtime.GOARCH == "amd64" {
		o.Arch = "arm64" // the generator must get its own, not the program's
	}
	if err := Generate(t.Context(), p, o); err != nil {
		t.Fatal(err)
	}
	self, _ := os.Executable()
	body, err := os.ReadFile(filepath.Join(dir, "films/made"))
	path := filepath.Dir(self) + ":" + os.Getenv("PATH") // Go puts its own folder before it
	if arch, rest, _ := strings.Cut(string(body), " "); arch != runtime.GOARCH || !strings.HasSuffix(rest, path) || err != nil {
		t.Errorf("the generator wrote %q, %v; want %s, and %s at the end", body, err, runtime.GOARCH, path)
	}
	if _, cleanup, err := Program(t.Context(), p, o); err != nil {
		t.Error(err)
	} else {
		cleanup()
	}
	t.Setenv("GOGENERATE_FAILS", "yes")
	if err := Generate(t.Context(), p, o); err == nil || !strings.Contains(err.Error(), "no assets here") || !strings.HasPrefix(err.Error(), "generate "+filepath.Join(dir, "films")) {
		t.Errorf("what the generator says is lost: %v", err)
	}
	p.Program = plan.Program{Main: "untouched"}
	if err := Generate(t.Context(), p, o); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "untouched/made")); err == nil {
		t.Error("something was generated that the spec did not ask for")
	}
}

// TestLibraryKnowsItsBuild puts the names into package service too, where a
// program has it.
func TestLibraryKnowsItsBuild(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil || runtime.GOOS != "linux" {
		t.Skip("go is not installed, or this is not Linux: nothing was built")
	}
	dir := tree(t, map[string]string{
		"go.mod":             "module films\n\ngo 1.24\n\nrequire github.com/kinectl/kinectl/service v0.0.0\n\nreplace github.com/kinectl/kinectl/service => ./service\n",
		"main.go":            "package main\n\nimport \"github.com/kinectl/kinectl/service\"\n\nfunc main() { service.Tell() }\n",
		"service/go.mod":     "module github.com/kinectl/kinectl/service\n\ngo 1.24\n",
		"service/service.go": "package service\n\nvar name, version, revision, buildTime string\n\nfunc Tell() { println(name, version, revision, buildTime) }\n",
	})
	p := plan.Plan{
		Name: "films", Version: version.Version{Label: "1.2.3"}, BuildTime: time.Unix(1700000000, 0).UTC(), Program: plan.Program{Main: "."},
	}
	program, cleanup, err := Program(t.Context(), p, Options{Dir: dir, Arch: runtime.GOARCH, Revision: "abc"})
	if err != nil {
		t.Fatal(err)
	}
	defer cleanup()
	if out, err := exec.Command(program).CombinedOutput(); string(out) != "films 1.2.3 abc 2023-11-14T22:13:20Z\n" {
		t.Errorf("it says %s, %v", out, err)
	}
}
