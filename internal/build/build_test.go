package build

import (
	"debug/buildinfo"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/kinectl/kinectl/internal/facts"
	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/version"
)

// tree writes files below a new folder, which it returns.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, body := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(body), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestGoBuild(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("go is not installed: nothing was built")
	}
	dir := tree(t, map[string]string{
		"go.mod":            "module films\n\ngo 1.24\n",
		"cmd/films/main.go": "package main\n\nvar name, version, revision, buildTime, extra string\n\nfunc main() { println(name, version, revision, buildTime, extra) }\n",
		"broken/main.go":    "package main\n\nfunc main() { nothing() }\n",
	})
	p := plan.Plan{
		Name: "films", Version: version.Version{Label: "1.2.3"}, BuildTime: time.Unix(1700000000, 0).UTC(),
		Program: plan.Program{Main: "cmd/films"},
	}
	t.Setenv("TMPDIR", t.TempDir())
	for _, arch := range []string{"amd64", "arm64"} {
		var said []string
		program, cleanup, err := Program(t.Context(), p, Options{
			Dir: dir, Arch: arch, Revision: "abc", LDFlags: []string{"-X main.extra=more"},
			Progress: func(e Event) { said = append(said, e.What) },
		})
		if err != nil {
			t.Fatal(err)
		}
		if of, err := facts.Binary(program); of != arch || err != nil {
			t.Errorf("built for %s: %s, %v", arch, of, err)
		}
		if info, err := buildinfo.ReadFile(program); err != nil || info.Path != "films/cmd/films" {
			t.Errorf("build info: %v, %v", info, err)
		}
		if body, err := os.ReadFile(program); err != nil || strings.Contains(string(body), dir) {
			t.Errorf("it holds the path of its source: %v", err)
		}
		if len(said) != 1 || !strings.HasSuffix(said[0], "films for "+arch) {
			t.Errorf("progress: %q", said)
		}
		if arch == runtime.GOARCH && runtime.GOOS == "linux" {
			if out, err := exec.Command(program).CombinedOutput(); string(out) != "films 1.2.3 abc 2023-11-14T22:13:20Z more\n" {
				t.Errorf("it says %s, %v", out, err)
			}
		}
		cleanup()
	}
	p.Program.Main = "broken"
	if _, _, err := Program(t.Context(), p, Options{Dir: dir, Arch: "amd64"}); err == nil || !strings.Contains(err.Error(), "undefined: nothing") {
		t.Errorf("what the compiler says is lost: %v", err)
	}
	if left, _ := os.ReadDir(os.TempDir()); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestBinary(t *testing.T) {
	dir := tree(t, map[string]string{"dist/films-1.2.3-amd64": program(amd64), "dist/films-1.2.3-arm64": program(amd64), "script": "#!/bin/sh\n", "text": "text"})
	f := func(binary, arch, wrong string) {
		t.Helper()
		p := plan.Plan{Name: "films", Version: version.Version{Label: "1.2.3"}, Program: plan.Program{Binary: binary}}
		got, cleanup, err := Program(t.Context(), p, Options{Dir: dir, Arch: arch})
		cleanup()
		if wrong == "" && (err != nil || got != filepath.Join(dir, expand(binary, p, arch))) {
			t.Errorf("%s: %s, %v", binary, got, err)
		}
		if wrong != "" && (err == nil || !strings.Contains(err.Error(), wrong)) {
			t.Errorf("%s: %v, want %s", binary, err, wrong)
		}
	}
	f("dist/films-{version}-{arch}", "amd64", "")
	f("script", "arm64", "")
	f("dist/films-{version}-{arch}", "arm64", "is a program for amd64, not for arm64")
	f("text", "amd64", "is no Linux program")
	f("nothing", "amd64", "no such file")
	if got, _, err := Program(t.Context(), plan.Plan{Name: "files"}, Options{}); got != "" || err != nil {
		t.Errorf("a package of files only: %q, %v", got, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "script")); err != nil {
		t.Errorf("cleanup took what is not ours: %v", err)
	}
}

func TestFiles(t *testing.T) {
	outside := tree(t, map[string]string{"secret": "secret"})
	dir := tree(t, map[string]string{"films.conf": "a", "assets/css/site.css": "b", "sealed/a": "c", "dangling/a": "d", "odd/a": "e"})
	for link, target := range map[string]string{
		"stolen":          filepath.Join(outside, "secret"),
		"short":           "films.conf",
		"assets/main.css": "css/site.css",
		"sealed/b":        filepath.Join(outside, "secret"),
		"dangling/b":      "../../elsewhere",
		"folder":          outside,
	} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	f := func(source, want, wrong string) {
		t.Helper()
		sources, findings := Files(dir, []plan.File{{Source: "films.conf"}, {Source: source}})
		switch {
		case wrong == "" && (len(findings) > 0 || sources[1] != filepath.Join(dir, want)):
			t.Errorf("%s: %v, %+v", source, sources, findings)
		case wrong != "" && (len(findings) != 1 || findings[0].Message != wrong || findings[0].Path != "service.files[1].src" || findings[0].Hint == ""):
			t.Errorf("%s: %+v, want %s", source, findings, wrong)
		}
	}
	f("assets", "assets", "")
	f("./assets/css/../css/site.css", "assets/css/site.css", "")
	f("short", "films.conf", "")
	f("nothing", "", "there is no nothing beside the spec")
	f("films.conf/x", "", "films.conf/x cannot be read: not a directory")
	f("../"+filepath.Base(outside)+"/secret", "", "../"+filepath.Base(outside)+"/secret leads out of the spec's folder")
	f("stolen", "", "stolen leads out of the spec's folder")
	f("folder", "", "folder leads out of the spec's folder")
	f("folder/secret", "", "folder/secret leads out of the spec's folder")
	f("sealed", "", "sealed/b is a link out of its folder")
	f("dangling", "", "dangling/b is a link out of its folder")
	if _, findings := Files(dir, []plan.File{{Source: "a"}, {Source: "films.conf"}, {Source: "b"}}); len(findings) != 2 {
		t.Errorf("not all at once: %+v", findings)
	}
}

// TestGoBuildAnywhere builds under settings of a caller that would change the
// program, and from a vendor folder.
func TestGoBuildAnywhere(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("go is not installed: nothing was built")
	}
	dir := tree(t, map[string]string{
		"go.mod":                            "module films\n\ngo 1.24\n\nrequire example.com/other v1.0.0\n",
		"vendor/modules.txt":                "# example.com/other v1.0.0\n## explicit; go 1.24\nexample.com/other\n",
		"vendor/example.com/other/other.go": "package other\n\nconst Name = \"vendored\"\n",
		"main.go":                           "package main\n\nimport \"example.com/other\"\n\nfunc main() { println(other.Name, extra) }\n",
		"extra.go":                          "//go:build !netgo\n\npackage main\n\nconst extra = \"\"\n",
		"netgo.go":                          "//go:build netgo\n\npackage main\n\nconst extra = \"with a tag\"\n",
	})
	elsewhere := tree(t, map[string]string{
		"go.work": "go 1.24\n\nuse .\n", "go.mod": "module elsewhere\n\ngo 1.24\n",
		"env": "GOFLAGS=-tags=netgo\nGOAMD64=v3\nGOARM64=v9.0\nGOEXPERIMENT=synctest\nGOFIPS140=latest\n",
	})
	p := plan.Plan{Name: "films", Version: version.Version{Label: "1.2.3"}, Program: plan.Program{Main: "."}}
	body := func(t *testing.T, arch string) string {
		t.Helper()
		program, cleanup, err := Program(t.Context(), p, Options{Dir: dir, Arch: arch})
		if err != nil {
			t.Fatal(err)
		}
		defer cleanup()
		b, err := os.ReadFile(program)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for _, arch := range []string{"amd64", "arm64"} {
		want := body(t, arch)
		for name, value := range map[string]string{
			"GOFLAGS": "-tags=netgo", "GOAMD64": "v3", "GOARM64": "v9.0", "GOEXPERIMENT": "synctest", "GOFIPS140": "latest",
			"CGO_ENABLED": "1", "GOENV": filepath.Join(elsewhere, "env"), "GOWORK": filepath.Join(elsewhere, "go.work"),
		} {
			t.Run(arch+" "+name, func(t *testing.T) {
				t.Setenv(name, value)
				if body(t, arch) != want {
					t.Errorf("%s=%s gives another program", name, value)
				}
			})
		}
	}
}
