package unit

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/version"
)

var update = flag.Bool("update", false, "write the golden files anew")

func hello() plan.Plan {
	return plan.Plan{
		Name: "hello", Group: "applications", Description: "Answers greetings",
		Version:   version.Version{Label: "1.0.0", Deb: "1.0.0"},
		BuildTime: time.Unix(1700000000, 0).UTC(),
		Unit: plan.Unit{
			User: "hello", Group: "hello", Start: plan.Line("/usr/bin/hello"), StopSignal: "SIGINT", Type: "exec",
			Limits: plan.Limits{MemoryMax: "512M", NoFile: 65536, TasksMax: 4096},
		},
		Spec: []byte("service:\n  name: hello\n"),
	}
}

func TestFiles(t *testing.T) {
	for _, f := range Files(hello()) {
		golden := filepath.Join("testdata", filepath.Base(f.Path)+".golden")
		if *update {
			if err := os.WriteFile(golden, f.Body, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(f.Body, want) {
			t.Errorf("%s: got\n%s\nwant\n%s", f.Path, f.Body, want)
		}
		if !strings.HasPrefix(f.Install, "/usr/") || f.Mode != 0o644 {
			t.Errorf("%s: install %q, mode %o", f.Path, f.Install, f.Mode)
		}
	}
}

func TestText(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		if got := text(in); got != want {
			t.Errorf("text(%q) = %q, want %q", in, got, want)
		}
	}
	f("plain", "plain")
	f("100%H $HOME", "100%%H $HOME")
	f("x\nUser=root", "x User=root")
	f("x\r\x00y\u2028z", "x  y z")
	f(`ends in \`, `ends in \ `)
	f("größe \"x\" 'y'", "größe \"x\" 'y'")
}

func TestCommand(t *testing.T) {
	f := func(want string, in ...string) {
		t.Helper()
		if got := command(plan.Line(in...)); got != want {
			t.Errorf("command(%q) = %q, want %q", in, got, want)
		}
	}
	f("/usr/bin/hello", "/usr/bin/hello")
	f("/usr/bin/my-api", "/usr/bin/my-api")
	f(`/usr/bin/x "$$HOME" "%%h"`, "/usr/bin/x", "$HOME", "%h")
	f(`/usr/bin/x "a\"b" "c\\d" ";"`, "/usr/bin/x", `a"b`, `c\d`, ";")
	f(`/usr/bin/x "two words"`, "/usr/bin/x", "two words")
	f(`"/usr/bin/x ExecStartPre=/bin/sh"`, "/usr/bin/x\nExecStartPre=/bin/sh")
	f(`"+/usr/bin/x"`, "+/usr/bin/x")
	if got := command(plan.Command{{{Literal: "/x"}}, {{Literal: "--a="}, {Variable: "A"}}}); got != `/x "--a=${A}"` {
		t.Errorf("a variable: %s", got)
	}
}

// hostile are descriptions that try to leave their line or their directive.
var hostile = []string{
	"plain", "100% of %H %i %% %", "$HOME ${HOME} $$", `"`, `'`, `it's "quoted`, `\`, `\\`, `\x41 \n \t`, `ends in \`, "; comment", "# comment",
	"x\nExecStartPre=/bin/false", "x\r\n[Service]\nUser=root", "[Unit]", "Größe 世界 🚀", "a=b=c", "\u2028ExecStart=/x", strings.Repeat("long ", 40),
}

// TestVerify gives units with hostile descriptions to the real systemd. It
// says nothing about a unit that is right, and exits 0 for one that it only
// doubts, so every line is a fault.
func TestVerify(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("systemd-analyze is not installed: units were not given to the real systemd")
	}
	root := t.TempDir()
	units := filepath.Join(root, "usr/lib/systemd/system")
	for _, dir := range []string{"usr/bin", "usr/lib/systemd", "etc/systemd/system"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// cp, since some of these files are links to nowhere.
	if out, err := exec.Command("cp", "-r", "/usr/lib/systemd/system", units).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	args := []string{"verify", "--man=no", "--root=" + root}
	for i, description := range hostile {
		p := hello()
		p.Name = fmt.Sprintf("hostile%d", i)
		p.Description = description
		p.Unit.Start = plan.Line("/usr/bin/" + p.Name)
		if err := os.WriteFile(filepath.Join(root, "usr/bin", p.Name), []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(units, p.Name+".service"), Files(p)[0].Body, 0o644); err != nil {
			t.Fatal(err)
		}
		args = append(args, p.Name+".service")
	}
	cmd := exec.Command("systemd-analyze", args...)
	cmd.Env = append(os.Environ(), "SYSTEMD_LOG_LEVEL=info")
	out, err := cmd.CombinedOutput()
	if err != nil || len(bytes.TrimSpace(out)) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}

	// The same check must see a fault where there is one.
	bad := filepath.Join(units, "bad.service")
	if err := os.WriteFile(bad, append(Files(hello())[0].Body, "\n[Service]\nNoSuchKey=1\n"...), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, _ := exec.Command("systemd-analyze", "verify", "--man=no", "--root="+root, "bad.service").CombinedOutput(); !bytes.Contains(out, []byte("NoSuchKey")) {
		t.Errorf("an unknown key went unseen: %s", out)
	}
}

// TestExposure keeps the sandbox as tight as it is.
func TestExposure(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("systemd-analyze is not installed: the exposure was not scored")
	}
	unit := filepath.Join(t.TempDir(), "hello.service")
	if err := os.WriteFile(unit, Files(hello())[0].Body, 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("systemd-analyze", "security", "--offline=yes", "--no-pager", "--threshold=12", unit).CombinedOutput()
	if err != nil {
		t.Errorf("exposure is above 1.2: %v\n%s", err, out)
	}
}

// FuzzUnit holds that no description changes anything but its own line.
func FuzzUnit(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	plain := strings.Split(string(Files(hello())[0].Body), "\n")
	f.Fuzz(func(t *testing.T, description string) {
		p := hello()
		p.Description = description
		lines := strings.Split(string(Files(p)[0].Body), "\n")
		if len(lines) != len(plain) {
			t.Fatalf("%q makes %d lines of %d", description, len(lines), len(plain))
		}
		for i := range lines {
			if i != 1 && lines[i] != plain[i] {
				t.Errorf("%q changes line %d to %q", description, i+1, lines[i])
			}
		}
		if utf8.ValidString(description) && strings.HasSuffix(lines[1], `\`) {
			t.Errorf("%q swallows the line after it", description)
		}
	})
}
