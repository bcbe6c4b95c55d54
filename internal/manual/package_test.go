package manual_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/kinectl/kinectl/internal/cli"
	"github.com/kinectl/kinectl/internal/manual"
	"github.com/kinectl/kinectl/internal/needs"
)

// run calls a program and returns all that it says.
func run(t *testing.T, dir string, argv ...string) string {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "SOURCE_DATE_EPOCH=1700000000", "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", argv, err, out)
	}
	return string(out)
}

// TestOwnPackage does what `make package` does, in a folder of its own, and
// lets Debian's programs judge the result.
func TestOwnPackage(t *testing.T) {
	needs.Program(t, "go", "nothing was read by it")
	needs.Program(t, "dpkg-deb", "nothing was read by it")
	dir := t.TempDir()
	spec, err := os.ReadFile("../../spec.yml")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "spec.yml"), spec, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := manual.Write(filepath.Join(dir, "dist"), cli.Commands(), "1.2.3", time.Unix(1700000000, 0)); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "program")
	run(t, "", "go", "build", "-trimpath", "-ldflags", "-s -w -X main.version=1.2.3", "-o", program, "../../cmd/kinectl")
	run(t, dir, program, "lint")
	run(t, dir, program, "deb", "--version", "1.2.3", "--binary", program, "-o", ".")
	deb := filepath.Join(dir, "kinectl_1.2.3~deb12_"+runtime.GOARCH+".deb")
	run(t, dir, "dpkg-deb", "-x", deb, "root")

	if depends := run(t, dir, "dpkg-deb", "-f", deb, "Depends"); !strings.Contains(depends, "ansible-core") || !strings.Contains(depends, "openssh-client") {
		t.Errorf("it depends on %s", depends)
	}
	if got := run(t, dir, "root/usr/bin/kinectl", "--version"); got != "kinectl version 1.2.3\n" {
		t.Errorf("it says %s", got)
	}
	for _, path := range []string{"bash-completion/completions/kinectl", "zsh/vendor-completions/_kinectl", "fish/vendor_completions.d/kinectl.fish", "kinectl/kinectl/spec.yml"} {
		if _, err := os.Stat(filepath.Join(dir, "root/usr/share", path)); err != nil {
			t.Error(err)
		}
	}
	t.Run("man", func(t *testing.T) {
		needs.Program(t, "man", "nothing was read by it")
		for _, page := range []string{"kinectl", "kinectl-repo-publish"} {
			want := filepath.Join(dir, "root/usr/share/man/man1", page+".1.gz")
			if got := strings.TrimSpace(run(t, dir, "man", "-M", filepath.Join(dir, "root/usr/share/man"), "-w", page)); got != want {
				t.Errorf("man -w %s: %s", page, got)
			}
		}
	})
}
