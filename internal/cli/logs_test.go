package cli

import (
	"os/exec"
	"testing"
)

// TestBadPattern: what is refused, grep -P refuses too, and what it takes, passes.
func TestBadPattern(t *testing.T) {
	_, err := exec.LookPath("grep")
	pcre := err == nil && exec.Command("grep", "-qP", "a", "/dev/null").ProcessState == nil &&
		exec.Command("sh", "-c", "echo a | grep -qP a").Run() == nil
	if !pcre {
		t.Log("no grep -P: the patterns were not held against PCRE2")
	}
	f := func(pattern, want string) {
		t.Helper()
		if got := badPattern(pattern); got != want {
			t.Errorf("%s: %q", pattern, got)
		}
		if !pcre {
			return
		}
		c := exec.Command("grep", "-qP", "-e", pattern, "/dev/null")
		if _ = c.Run(); (c.ProcessState.ExitCode() == 2) != (want != "") {
			t.Errorf("%s: grep -P exits %d", pattern, c.ProcessState.ExitCode())
		}
	}
	f("", "")
	f("timeout|refused", "")
	f("(", "a ( has no )")
	f("a)", "a ) has no (")
	f("[a", "a [ has no ]")
	f("a|*b", "* has nothing to repeat")
	f(`a\`, `nothing follows the last \`)
	f("(?=a)", "")
	f(`(a)\1`, "")
	f("(?<!a)b++", "")
	f("(*UCP)a", "")
}
