package ansible

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/internal/artifact"
	"github.com/kinectl/kinectl/internal/needs"
)

// place writes a playbook and its module as `kinectl render` would, and
// returns the path of the playbook.
func place(t *testing.T, dir string, files []artifact.File) string {
	t.Helper()
	for _, f := range files {
		write(t, filepath.Join(dir, filepath.FromSlash(f.Path)), string(f.Body), f.Mode)
	}
	return filepath.Join(dir, filepath.FromSlash(files[0].Path))
}

func write(t *testing.T, path, text string, mode fs.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// TestSyntax gives every playbook to the real Ansible, which must not even warn.
func TestSyntax(t *testing.T) {
	program := needs.Program(t, "ansible-playbook", "the playbooks were not given to Ansible")
	dir := t.TempDir()
	inventory := filepath.Join(dir, "hosts.ini")
	write(t, inventory, "[applications]\nh1\n[monitoring]\nm1\n[proxy]\np1\n", 0o644)
	args := []string{"--syntax-check", "-i", inventory}
	for name, files := range cases() {
		args = append(args, place(t, filepath.Join(dir, name), files))
	}
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "ANSIBLE_NOCOLOR=1", "ANSIBLE_HOME="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil || bytes.Contains(out, []byte("WARNING")) {
		t.Errorf("%v: %s", err, out)
	}
}

// TestLint gives every playbook to ansible-lint, at its strictest profile. A
// playbook with a known fault shows that it would tell.
func TestLint(t *testing.T) {
	program := needs.Program(t, "ansible-lint", "the playbooks were not given to it")
	lint := func(dir string, playbooks ...string) (string, error) {
		cmd := exec.Command(program, append([]string{"--offline", "--profile", "production", "--nocolor", "--project-dir", dir}, playbooks...)...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "ANSIBLE_HOME="+dir, "HOME="+dir)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	dir := t.TempDir()
	var all []string
	for name, files := range cases() {
		all = append(all, place(t, filepath.Join(dir, name), files))
	}
	if out, err := lint(dir, all...); err != nil || !strings.Contains(out, "0 failure(s), 0 warning(s)") {
		t.Errorf("%v: %s", err, out)
	}
	files := Deploy(hello("1"))
	files[0].Body = bytes.Replace(files[0].Body, []byte("any_errors_fatal: true"), []byte("any_errors_fatal: yes"), 1)
	bad := t.TempDir()
	if out, err := lint(bad, place(t, bad, files)); err == nil {
		t.Errorf("a playbook with a fault passes: %s", out)
	}
}
