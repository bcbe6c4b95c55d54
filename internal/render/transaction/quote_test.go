package transaction

import (
	"os/exec"
	"strings"
	"testing"
)

// hostile are paths that try to leave their quotes, their line or the script.
var hostile = []string{
	"", "/metrics", "/ready?a=1&b=2", "'", "''", `'"'"'`, `\`, `\'`, `ends in \`, "$HOME ${HOME} $(id) `id`", "; exit 1", "# end of parameters",
	endOfScript, " " + endOfScript, "KINECTL_ARGUMENTS", "EOF", "*", "~", "%s %d", "-n", "a\tb", "größe 世界", "!!", "\x7f", "\xff",
}

// TestQuote gives every quoted word to the shell and reads it back.
func TestQuote(t *testing.T) {
	text := "printf '%s\\0'"
	for _, s := range hostile {
		text += " " + quote(s)
	}
	out, err := exec.Command("sh", "-c", text).Output()
	if err != nil || string(out) != strings.Join(hostile, "\x00")+"\x00" {
		t.Errorf("%v: got %q", err, out)
	}
}

// FuzzQuote holds that sh reads a quoted word as it was, and no more than one.
func FuzzQuote(f *testing.F) {
	f.Add("it's")
	f.Add("'\n;exit 1;'")
	f.Fuzz(func(t *testing.T, s string) {
		if strings.Contains(s, "\x00") {
			t.Skip("no argument list takes a NUL")
		}
		out, err := exec.Command("sh", "-c", "for word in "+quote(s)+"; do printf 'x%s' \"$word\"; done").Output()
		if err != nil || string(out) != "x"+s {
			t.Errorf("%q is read as %q; %v", s, out, err)
		}
	})
}

// TestParameters reads hostile paths from the head of the script, as a host
// does for a release that it kept, and looks for what would end the script.
func TestParameters(t *testing.T) {
	for _, path := range hostile {
		p := hello()
		p.Deploy.Probe.Path = path
		script := string(Script(p))
		head, rest, ok := strings.Cut(script, "\n# end of parameters\n")
		if !ok || !strings.HasPrefix(rest, "\n"+string(part(body[0]))) {
			t.Fatalf("%q: the script's head does not end where its parts begin", path)
		}
		out, err := exec.Command("sh", "-c", head+"\nprintf '%s|%s' \"$probe_path\" \"$metrics_port\"").Output()
		if err != nil || string(out) != path+"|9090" {
			t.Errorf("%q is read as %q; %v", path, out, err)
		}
		for line := range strings.Lines(script) {
			if strings.TrimRight(line, "\n") == endOfScript {
				t.Errorf("%q makes a line that ends the script", path)
			}
		}
	}
}

// FuzzParameters holds that a value of one line is a line of the script, and
// none that ends the script or its head. Newlines cannot come: package spec
// refuses them.
func FuzzParameters(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	plain := strings.Count(string(Script(hello())), "\n")
	f.Fuzz(func(t *testing.T, path string) {
		if strings.ContainsAny(path, "\n") {
			t.Skip("refused by package spec")
		}
		p := hello()
		p.Deploy.Probe.Path = path
		script := "\n" + string(Script(p))
		if strings.Count(script, "\n") != plain+1 || strings.Contains(script, "\n"+endOfScript+"\n") || strings.Count(script, "\n# end of parameters\n") != 1 {
			t.Errorf("%q makes another script", path)
		}
	})
}
