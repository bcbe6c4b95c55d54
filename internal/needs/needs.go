// Package needs finds the real programs that tests hand their formats to. Start at
// [Program].
package needs

import (
	"os"
	"os/exec"
	"testing"
)

// Program finds a program and returns its path. Where it is not installed, the test
// is skipped and says what was lost by that; in the full check, with
// KINECTL_E2E=required, it fails.
func Program(t testing.TB, program, lost string) string {
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
