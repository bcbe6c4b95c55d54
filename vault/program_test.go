package vault

import (
	"bytes"
	"os"
	"os/exec"
	"testing"
)

// require finds a program, or skips the test; where all must be there, it fails.
func require(t *testing.T, program, lost string) string {
	t.Helper()
	found, err := exec.LookPath(program)
	if err == nil {
		return found
	}
	if os.Getenv("KINECTL_E2E") == "required" {
		t.Fatalf("%s is not installed: %s", program, lost)
	}
	t.Skipf("%s is not installed: %s", program, lost)
	return ""
}

func run(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, stderr.String())
	}
	return string(out)
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
