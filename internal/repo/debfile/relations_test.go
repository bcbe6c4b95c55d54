package debfile

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/internal/needs"
)

// TestRelations: what is taken, the real apt can read; what stops apt, is not
// taken.
func TestRelations(t *testing.T) {
	accepted := []string{
		"Depends: a", "Depends: a, b", "Depends: a,", "Depends: a | b (>= 1), c", "Depends: Foo_Bar", "Depends: a(>=1)", "Depends: a (> 1)",
		"Depends: a:any (>= 1:1.0~x-2)", "Depends: a ( >= 1 )", "Provides: a (= 1), b", "Depends:", "Conflicts: a (<< 2~)", "Depends: a,\n b (= 1),\n c",
		"Enhances: x", "Depends: libstdc++6 (>= 5.2)", "Recommends: libgtk2.0-0",
	}
	refused := []string{
		"Depends: ,a", "Depends: a,,b", "Depends: a |", "Depends: | a", "Depends: a b", "Depends: a (>= 1", "Depends: a (>= ", "Depends: (", "Depends: a [",
		"Depends: a [amd64]", "Depends: a <!nocheck>", "Depends: a (1)", "Depends: ${shlibs:Depends}", "Conflicts: a (=", "Provides: a b c (", "Provides: a | b",
		"Pre-Depends: a (>= 1 2)", "depends: a (", "Depends: a (>= 1_0)", "Depends: ,",
	}
	f := func(text string, want bool) {
		t.Helper()
		fields, err := ParseControl("Package: x\n" + text + "\n")
		if err == nil {
			err = checkRelations(fields)
		}
		if (err == nil) != want {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, text := range accepted {
		f(text, true)
	}
	for _, text := range refused {
		f(text, false)
	}
	cache := aptCache(t)
	for _, text := range accepted {
		if out, err := cache(text); err != nil {
			t.Errorf("apt cannot read %q: %s", text, out)
		}
	}
	if _, err := cache("Depends: a (>= 1"); err == nil {
		t.Error("the control: apt reads what it should not")
	}
}

// aptCache returns a function that lets the real apt read a package with these
// fields, as the only one that is installed.
func aptCache(t *testing.T) func(fields string) (out string, err error) {
	program := needs.Program(t, "apt-cache", "packages were not compared with the real one")
	root := t.TempDir()
	for _, dir := range []string{"state/partial", "lists/partial", "cache/partial", "etc/apt.conf.d"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	config := strings.ReplaceAll(`Dir "ROOT"; Dir::State "ROOT/state"; Dir::State::lists "ROOT/lists"; Dir::State::status "ROOT/status"; Dir::Cache "ROOT/cache";
Dir::Etc "ROOT/etc"; Dir::Bin::methods "/usr/lib/apt/methods"; APT::Architecture "amd64"; Debug::NoLocking "1"; APT::Sandbox::User "root";
`, "ROOT", root)
	write := func(name, body string) {
		if err := os.WriteFile(filepath.Join(root, name), []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("apt.conf", config)
	return func(fields string) (string, error) {
		write("status", "Package: x\nVersion: 1\nArchitecture: amd64\nMaintainer: Jo <jo@example.com>\nDescription: x\nStatus: install ok installed\n"+fields+"\n")
		_ = os.Remove(filepath.Join(root, "cache/pkgcache.bin"))
		cmd := exec.Command(program, "show", "x")
		cmd.Env = append(os.Environ(), "APT_CONFIG="+filepath.Join(root, "apt.conf"), "LC_ALL=C")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
}
