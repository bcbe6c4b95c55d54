package yum

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/internal/needs"
	"github.com/kinectl/kinectl/internal/repo/index"
	"github.com/kinectl/kinectl/internal/repo/rpmfile"
)

// run runs a program that must succeed, and returns what it says.
func run(t testing.TB, command ...string) string {
	t.Helper()
	out, err := attempt(t, command...)
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, out)
	}
	return out
}

func attempt(t testing.TB, command ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// build builds a package with rpmbuild, and returns the path of the rpm.
func build(t testing.TB, spec string, defines ...string) string {
	t.Helper()
	needs.Program(t, "rpmbuild", "no package was built")
	dir := t.TempDir()
	command := []string{"rpmbuild", "-bb", "--define", "_topdir " + dir, "--define", "_rpmdir " + dir, "--define", "_rpmfilename %{NAME}-%{VERSION}.rpm"}
	for _, d := range defines {
		command = append(command, "--define", d)
	}
	run(t, append(command, spec)...)
	found, err := filepath.Glob(filepath.Join(dir, "*.rpm"))
	if err != nil || len(found) != 1 {
		t.Fatalf("rpmbuild made %q, %v", found, err)
	}
	return found[0]
}

// readPackage is a built package as it is published, and the file's content.
func readPackage(t testing.TB, path string) (Package, []byte) {
	t.Helper()
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := rpmfile.Read(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(body)
	p := Package{RPM: r, Entry: index.Entry{
		Format: format, Name: r.Name, Version: r.EVR(), Architecture: r.Arch,
		Size: int64(len(body)), SHA256: hex.EncodeToString(digest[:]), Published: clock,
	}}
	p.HeaderStart, p.HeaderEnd = r.HeaderRange()
	p.Entry.Filename = Filename("stable", "x86_64", keyID, p.Entry)
	return p, body
}
