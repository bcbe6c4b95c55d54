package scaffold

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// infraAt writes the files of an infra repository into a new folder.
func infraAt(t *testing.T) string {
	t.Helper()
	files, err := Infra()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, f := range files {
		path := filepath.Join(dir, f.Path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Body, f.Mode); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// needs skips where a program is not installed, but not where all must be.
func needs(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		if os.Getenv("KINECTL_E2E") == "required" {
			t.Fatal(program + " is not installed")
		}
		t.Skip(program + " is not installed: the infra repository was not held against it")
	}
}

func TestInfraLints(t *testing.T) {
	needs(t, "ansible-lint")
	f := func(dir string, good bool) {
		t.Helper()
		cmd := exec.Command("ansible-lint", "--profile", "production", "--offline", "--nocolor", "site.yml")
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); (err == nil) != good {
			t.Errorf("ansible-lint: %v, want it clean: %v\n%s", err, good, out)
		}
	}
	f(infraAt(t), true)
	// The control: a task without a name.
	bad := infraAt(t)
	tasks := filepath.Join(bad, "roles", "base", "tasks", "system.yml")
	body, err := os.ReadFile(tasks)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(tasks, append(body, "\n- command: reboot\n"...), 0o644); err != nil {
		t.Fatal(err)
	}
	f(bad, false)
}

// TestInfraInventories: both environments are inventories as they stand, with the
// groups of site.yml.
func TestInfraInventories(t *testing.T) {
	needs(t, "ansible-inventory")
	dir := infraAt(t)
	for _, env := range []string{"production", "staging"} {
		cmd := exec.Command("ansible-inventory", "-i", filepath.Join("inventories", env), "--graph")
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		for _, group := range []string{"@applications:", "@proxy:", "@monitoring:"} {
			if err != nil || !strings.Contains(string(out), group) {
				t.Errorf("%s: %v, want %s\n%s", env, err, group, out)
			}
		}
	}
	for _, f := range []string{".gitignore", ".ansible-lint", "README.md", "policy.yml", "resources.yml"} {
		if _, err := os.Stat(filepath.Join(dir, f)); err != nil {
			t.Error(err)
		}
	}
}
