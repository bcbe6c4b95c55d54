package cli_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/internal/cli"
)

// initialise runs `kinectl init` of a version of kinectl, and returns go.mod and
// what it has said.
func initialise(t *testing.T, version string, args ...string) (mod, stdout, stderr string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "films")
	var out, errs bytes.Buffer
	if code := cli.Run(t.Context(), version, append([]string{"init", dir}, args...), strings.NewReader(""), &out, &errs); code != 0 {
		t.Fatalf("exit code %d: %s", code, errs.String())
	}
	text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text), out.String(), errs.String()
}

// TestInitWithoutModules holds that the files are there and a line says what
// is left to do, where the modules cannot be fetched.
func TestInitWithoutModules(t *testing.T) {
	f := func(version, require, warning string) {
		t.Helper()
		mod, stdout, stderr := initialise(t, version)
		if !strings.Contains(mod, require) || strings.Contains(mod, "=>") {
			t.Errorf("%s: go.mod has\n%s", version, mod)
		}
		if strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, warning) {
			t.Errorf("%s: warns %q, want one line with %q", version, stderr, warning)
		}
		if !strings.Contains(stdout, "films/main.go\n") || !strings.Contains(stdout, "films && go mod tidy && kinectl lint && ") {
			t.Errorf("%s: says\n%s", version, stdout)
		}
	}
	t.Setenv("KINECTL_LIBRARY", "")
	t.Setenv("GOPROXY", "off")
	t.Setenv("GOMODCACHE", t.TempDir())
	t.Setenv("GOFLAGS", "-modcacherw")
	f("1.7.8", "\tgithub.com/kinectl/kinectl/service v1.7.8\n", "module lookup disabled by GOPROXY=off")
	f("1.7.8-rc1", "service v1.7.8-rc1\n", "module lookup disabled by GOPROXY=off")
	f("dev", "service v0.0.0\n", "this kinectl is no release")
	f("1.7.8-4-gabc1234", "service v0.0.0\n", "this kinectl is no release")
	t.Setenv("PATH", t.TempDir())
	f("1.7.8", "service v1.7.8\n", "go is not installed")
}

// TestInitFromCheckout holds that a development build finds the checkout that
// it lies in, also by a link from elsewhere, and that --library comes first.
func TestInitFromCheckout(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	checkout, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, module := range []string{"service", "vault"} {
		if err := os.Symlink(filepath.Join(root, module), filepath.Join(checkout, module)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(checkout, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	// Under this name the test program is kinectl: see TestMain.
	built, linked := filepath.Join(checkout, "bin", "kinectl"), filepath.Join(t.TempDir(), "kinectl")
	if err := os.WriteFile(built, program, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(built, linked); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KINECTL_LIBRARY", "")
	t.Setenv("PATH", t.TempDir()) // go.mod stays as it is written
	f := func(want, program string, args ...string) {
		t.Helper()
		dir := filepath.Join(t.TempDir(), "films")
		if out, err := exec.Command(program, append([]string{"init", dir}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), "kinectl/service => "+want+"/service\n") {
			t.Errorf("%s: want the library of %s in\n%s", program, want, text)
		}
	}
	f(checkout, built)
	f(checkout, linked)
	f(root, linked, "--library", root)
}

// TestInitOfRelease holds that a service of a released kinectl gets the
// libraries of that release from a module proxy, builds, and passes its tests.
func TestInitOfRelease(t *testing.T) {
	out, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	proxy := t.TempDir()
	publish(t, proxy, "service", "v1.7.8")
	publish(t, proxy, "vault", "v1.7.8")
	t.Setenv("KINECTL_LIBRARY", "")
	t.Setenv("GOPROXY", "file://"+proxy+",file://"+strings.TrimSpace(string(out))+"/cache/download")
	t.Setenv("GOSUMDB", "off")
	t.Setenv("GOMODCACHE", t.TempDir())
	t.Setenv("GOFLAGS", "-modcacherw -trimpath") // the build cache serves any path then
	dir := filepath.Join(t.TempDir(), "films")
	var said bytes.Buffer
	if code := cli.Run(t.Context(), "1.7.8", []string{"init", dir}, strings.NewReader(""), &said, &said); code != 0 || strings.Contains(said.String(), "warning") {
		t.Fatalf("exit code %d: %s", code, said.String())
	}
	for _, args := range [][]string{{"build", "./..."}, {"test", "./..."}} {
		cmd := exec.Command("go", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("go %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

// publish lays a module of this tree into a proxy of files
// (go.dev/ref/mod#goproxy-protocol), as a tag of its folder does.
func publish(t *testing.T, proxy, module, version string) {
	t.Helper()
	const ours = "github.com/kinectl/kinectl/"
	dir := filepath.Join(proxy, filepath.FromSlash(ours+module), "@v")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	var mod []byte
	var archive bytes.Buffer
	w := zip.NewWriter(&archive)
	source := filepath.Join("..", "..", module)
	err := filepath.WalkDir(source, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || strings.HasSuffix(path, "_test.go") {
			return err
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		inside, err := filepath.Rel(source, path)
		if err != nil {
			return err
		}
		if inside == "go.mod" {
			mod = body
		}
		f, err := w.Create(fmt.Sprintf("%s%s@%s/%s", ours, module, version, filepath.ToSlash(inside)))
		if err == nil {
			_, err = f.Write(body)
		}
		return err
	})
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	for ending, body := range map[string][]byte{
		"zip": archive.Bytes(), "mod": mod, "info": fmt.Appendf(nil, `{"Version": %q, "Time": "2030-01-01T00:00:00Z"}`, version),
	} {
		if err := os.WriteFile(filepath.Join(dir, version+"."+ending), body, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
