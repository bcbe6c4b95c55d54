package service

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestDocs builds the program of docs/service.md, and compares what it prints with what the
// page shows.
func TestDocs(t *testing.T) {
	const path = "../docs/service.md"
	page, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		t.Skip(path + " is not there: this module is used on its own")
	}
	if err != nil {
		t.Fatal(err)
	}
	block := func(begin string) string {
		t.Helper()
		_, rest, found := strings.Cut(string(page), "\n```"+begin)
		text, _, closed := strings.Cut(rest, "\n```")
		if !found || !closed {
			t.Fatalf("%s has no block that begins with %q", path, begin)
		}
		return text + "\n"
	}
	dir := t.TempDir()
	main, program := filepath.Join(dir, "main.go"), filepath.Join(dir, "films")
	if err := os.WriteFile(main, []byte("package main"+block("go\npackage main")), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-o", program, main).CombinedOutput(); err != nil {
		t.Fatalf("build the program of %s: %v\n%s", path, err, out)
	}
	out, err := exec.Command(program, "--help").Output()
	if want := "films 0.0.0" + block("text\nfilms 0.0.0"); err != nil || string(out) != want {
		t.Errorf("--help: %v\n%s\n%s shows:\n%s", err, out, path, want)
	}
	cmd := exec.Command(program)
	cmd.Env = []string{"METRICS_ADDRESS=9090"}
	said, _ := cmd.CombinedOutput()
	for line := range strings.Lines(string(said)) {
		if !strings.Contains(string(page), line) {
			t.Errorf("it prints a line that %s does not show: %s", path, line)
		}
	}
	if cmd.ProcessState.ExitCode() != 2 || strings.Count(string(said), "\n") != 2 {
		t.Errorf("exit code %d: %s", cmd.ProcessState.ExitCode(), said)
	}
}
