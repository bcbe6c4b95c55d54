package packager

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// all returns every script of films, by its name ("deb/prerm").
func all(t *testing.T) map[string]string {
	t.Helper()
	entries, err := settle(films(t, "1.0.0"))
	if err != nil {
		t.Fatal(err)
	}
	return scriptsOf(t, unitsOf(entries))
}

func scriptsOf(t *testing.T, u units) map[string]string {
	t.Helper()
	p, out := films(t, "1.0.0").Plan, map[string]string{}
	err := fs.WalkDir(scripts, "scripts", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name := strings.TrimSuffix(strings.TrimPrefix(path, "scripts/"), ".sh")
		body, err := script(name, p, u)
		out[name] = string(body)
		return err
	})
	if err != nil || len(out) < 11 {
		t.Fatalf("%d scripts: %v", len(out), err)
	}
	return out
}

func TestScriptsForShellcheck(t *testing.T) {
	require(t, "shellcheck", "the scripts of the packages were not checked")
	check := func(format, body string) string {
		shell := "sh"
		if format == "archlinux" { // where they become functions of a bash script
			shell, body = "bash", "#!/bin/bash\nf() {\n"+body+"}\nf \"$@\"\n"
		}
		cmd := exec.Command("shellcheck", "--shell="+shell, "--enable=all", "--exclude=SC2250,SC2292,SC2249", "-")
		cmd.Stdin = strings.NewReader(body)
		out, err := cmd.CombinedOutput()
		if err != nil {
			return string(out)
		}
		return ""
	}
	for name, body := range scriptsOf(t, units{Sysusers: []string{"films.conf"}}) {
		if out := check(filepath.Dir(name), body); out != "" {
			t.Errorf("%s without units: %s", name, out)
		}
		// Without a name they would mean all units of the host.
		for _, verb := range []string{"stop", "disable", "reset-failed"} {
			if line := regexp.MustCompile(`(?m)^\s*[^#\n]*systemctl [^"\n]*` + verb + `[^"\n]*$`).FindString(body); line != "" {
				t.Errorf("%s without units says %s", name, line)
			}
		}
	}
	for name, body := range all(t) {
		if out := check(filepath.Dir(name), body); out != "" {
			t.Errorf("%s: %s", name, out)
		}
		for _, word := range []string{"{{", "systemctl start", "restart", "enable "} {
			if strings.Contains(body, word) {
				t.Errorf("%s has %q", name, word)
			}
		}
	}
	if check("deb", "#!/bin/sh\nrm -rf $1/x\n") == "" {
		t.Error("shellcheck takes a variable without quotes")
	}
}

// TestScriptsAnywhere runs the scripts where systemd does not run, and where
// its tools are not even installed.
func TestScriptsAnywhere(t *testing.T) {
	if _, err := os.Stat("/run/systemd/system"); err == nil {
		t.Skip("systemd runs here: its scripts would be taken at their word")
	}
	for _, c := range []struct{ name, argument, want string }{
		{"deb/postinst", "configure", "systemd-sysusers films.conf\nsystemd-tmpfiles --create films.conf\n"},
		{"deb/postinst", "triggered", ""},
		{"deb/prerm", "upgrade", ""},
		{"deb/prerm", "remove", "SYSTEMD_OFFLINE=1 systemctl --quiet disable films-cleanup.timer films.socket films-cleanup.service films-probe.service films.service\n"},
		{"deb/postrm", "remove", ""},
		{"rpm/preun", "1", ""},
		{"rpm/preun", "0", "SYSTEMD_OFFLINE=1 systemctl --quiet disable films-cleanup.timer films.socket films-cleanup.service films-probe.service films.service\n"},
		{"apk/pre-deinstall", "1.0.0", ""},
		{"apk/post-install", "1.0.0", "systemd-sysusers films.conf\nsystemd-tmpfiles --create films.conf\n"},
	} {
		tools, calls := t.TempDir(), filepath.Join(t.TempDir(), "calls")
		for _, tool := range []string{"systemctl", "systemd-sysusers", "systemd-tmpfiles"} {
			write(t, filepath.Join(tools, tool), "#!/bin/sh\necho \"${SYSTEMD_OFFLINE:+SYSTEMD_OFFLINE=$SYSTEMD_OFFLINE }${0##*/} $*\" >>"+calls+"\n", 0o755)
		}
		write(t, calls, "", 0o644)
		cmd := exec.Command("sh", "-s", c.argument)
		cmd.Stdin = strings.NewReader(all(t)[c.name])
		cmd.Env = []string{"PATH=" + tools + ":" + os.Getenv("PATH")}
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s %s: %v %s", c.name, c.argument, err, out)
		}
		if got, err := os.ReadFile(calls); err != nil || string(got) != c.want {
			t.Errorf("%s %s: %v, calls\n%s\nwant\n%s", c.name, c.argument, err, got, c.want)
		}
	}
}

// A package of files only has nothing to say to systemd.
func TestNoScripts(t *testing.T) {
	body, err := script("deb/postinst", films(t, "1.0.0").Plan, units{})
	if body != nil || err != nil {
		t.Errorf("%s, %v", body, err)
	}
	for name, body := range all(t) {
		if !bytes.HasSuffix([]byte(body), []byte("\n")) {
			t.Errorf("%s does not end its last line", name)
		}
	}
}
