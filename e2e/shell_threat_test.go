package e2e

import (
	"os"
	"strings"
	"testing"
)

// embedded runs what docs/threat-model.md shows of a password in the program.
func (s *shell) embedded(t *testing.T) { s.threatModel(t, "embedded") }

// threatModel runs the blocks "console lab WHICH" of docs/threat-model.md on the
// host, as the users that their prompts name, and compares what they print.
func (s *shell) threatModel(t *testing.T, which string) {
	t.Helper()
	page, err := os.ReadFile("../docs/threat-model.md")
	if err != nil {
		t.Fatal(err)
	}
	type who struct{ host, user string }
	prompts := map[string]who{"h1# ": {"h1", "root"}, "films@h1$ ": {"h1", "films"}, "nobody@h1$ ": {"h1", "nobody"}, "h2# ": {"h2", "root"}}
	type claim struct {
		line, command, output string
		who
	}
	var claims []claim
	inside := false
	for line := range strings.Lines(string(page)) {
		switch {
		case strings.HasPrefix(line, "```"):
			inside = line == "```console lab "+which+"\n"
			continue
		case !inside:
			continue
		}
		command := false
		for prompt, who := range prompts {
			if text, ok := strings.CutPrefix(line, prompt); ok {
				claims, command = append(claims, claim{line: line, command: text, who: who}), true
			}
		}
		if !command && len(claims) > 0 {
			claims[len(claims)-1].output += line
		}
	}
	if len(claims) < 8 {
		t.Fatalf("docs/threat-model.md has %d commands of %q", len(claims), which)
	}
	for _, c := range claims {
		// What is shown is what a person sees: both streams, and no exit code. The
		// command comes over a file, so that no argument list has a password in it.
		s.place(t, c.host, map[string]string{"/run/claim": "cd /\n" + c.command})
		got := s.sh(t, c.host, `runuser -u `+c.user+` -- sh /run/claim 2>&1; rm /run/claim`)
		if want := strings.TrimRight(c.output, "\n"); got != want {
			t.Errorf("docs/threat-model.md: %s got:\n%s\nwant:\n%s", c.line, got, want)
		}
	}
}
