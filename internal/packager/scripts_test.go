package packager

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/internal/needs"
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
	needs.Program(t, "shellcheck", "the scripts of the packages were not checked")
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

// TestScriptsAct runs the scripts with all that they touch in a folder, and with
// tools of systemd that write down how they are called.
func TestScriptsAct(t *testing.T) {
	const (
		names   = " films-cleanup.timer films.socket films-cleanup.service films-probe.service films.service\n"
		stop    = "systemctl stop" + names + "systemctl --quiet --no-reload disable" + names
		offline = "SYSTEMD_OFFLINE=1 systemctl --quiet disable" + names
		made    = "systemd-sysusers films.conf\nchgrp media /etc/films/films.conf\nsystemd-tmpfiles --create films.conf\n"
		reload  = "systemctl daemon-reload\n"
		reset   = "systemctl reset-failed" + names
		gone    = "systemctl stop films-gone.service\n"

		stale       = "etc/systemd/system/multi-user.target.wants/films-gone.service"
		cache       = "var/cache/films var/cache/films/x"
		stamp       = "var/lib/systemd/timers/stamp-films-cleanup.timer"
		environment = "etc/films/environment"
		dropIn      = "etc/systemd/system/films.service.d/50-kinectl-numa.conf"
	)
	scripts := all(t)
	f := func(name, argument string, running bool, calls string, removed ...string) {
		t.Helper()
		root := host(t, running)
		write(t, filepath.Join(root, "etc/films/notes"), "of somebody", 0o644)
		write(t, filepath.Join(root, "etc/systemd/system/films.service.d/override.conf"), "of somebody", 0o644)
		before := paths(t, root)
		got := act(t, root, name, scripts[name], argument)
		if got != calls {
			t.Errorf("%s %s, systemd runs: %t: calls\n%s\nwant\n%s", name, argument, running, got, calls)
		}
		left := paths(t, root)
		lost := strings.Join(slices.DeleteFunc(before, func(p string) bool { return slices.Contains(left, p) }), " ")
		if lost != strings.Join(removed, " ") {
			t.Errorf("%s %s removes\n%s\nwant\n%s", name, argument, lost, strings.Join(removed, " "))
		}
	}
	f("deb/postinst", "configure", true, made+gone+reload, stale)
	f("deb/postinst", "configure", false, made, stale)
	f("deb/postinst", "triggered", true, "")
	f("deb/prerm", "upgrade", true, "")
	f("deb/prerm", "remove", true, stop)
	f("deb/prerm", "remove", false, offline)
	f("deb/postrm", "upgrade", true, "")
	f("deb/postrm", "remove", true, reload+reset)
	f("deb/postrm", "remove", false, "")
	f("deb/postrm", "purge", true, reload+reset, environment, dropIn, cache, stamp)
	f("rpm/post", "2", true, made+reload)
	f("rpm/post", "1", false, made)
	f("rpm/preun", "1", true, "")
	f("rpm/preun", "0", true, stop)
	f("rpm/preun", "0", false, offline)
	f("rpm/postun", "0", true, reload+reset, cache, stamp)
	f("rpm/postun", "1", true, "systemctl stop films-probe.service\n")
	f("rpm/postun", "1", false, "")
	f("apk/post-install", "1.0.0", true, made+gone+reload, stale)
	f("apk/post-install", "1.0.0", false, made, stale)
	f("apk/pre-deinstall", "1.0.0", true, stop)
	f("apk/pre-deinstall", "1.0.0", false, "")
	f("apk/post-deinstall", "1.0.0", true, reload+reset, cache)
	f("archlinux/post_upgrade", "1.0.0", true, gone, stale)
	f("archlinux/pre_remove", "1.0.0", true, stop)
	f("archlinux/pre_remove", "1.0.0", false, offline)
	f("archlinux/post_remove", "1.0.0", true, reset, cache)

	// A release by kinectl tells systemd itself.
	t.Setenv("KINECTL_TRANSACTION", "1")
	f("deb/postinst", "configure", true, made+gone, stale)
	f("rpm/post", "1", true, made)
	f("apk/post-install", "1.0.0", true, made+gone, stale)
}

// TestPurge has nothing of anybody else: the folders go too. A cache that the
// spec does not speak of is somebody else's.
func TestPurge(t *testing.T) {
	root, c := host(t, false), films(t, "1.0.0")
	if err := os.Remove(filepath.Join(root, "etc/films/films.conf")); err != nil { // dpkg takes it
		t.Fatal(err)
	}
	c.Plan.Unit.Cache = false
	body, err := script("deb/postrm", c.Plan, units{Names: []string{"films.service"}})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second finds nothing
		act(t, root, "deb/postrm", string(body), "purge")
		left := strings.Join(paths(t, root), " ")
		if strings.Contains(left, "etc/films") || strings.Contains(left, "films.service.d") || !strings.Contains(left, "var/cache/films/x") {
			t.Errorf("left: %s", left)
		}
	}
}

// host is a folder with what a host has of films once it was released.
func host(t *testing.T, running bool) string {
	t.Helper()
	root := t.TempDir()
	for _, name := range []string{
		"etc/films/films.conf", "etc/films/environment", "etc/systemd/system/films.service.d/50-kinectl-numa.conf",
		"usr/lib/systemd/system/films.service", "usr/lib/systemd/system/films.socket", "usr/lib/systemd/system/films-cleanup.service",
		"usr/lib/systemd/system/films-cleanup.timer", "var/cache/films/x", "var/lib/films/data", "var/lib/systemd/timers/stamp-films-cleanup.timer",
	} { // without films-probe.service, as after an upgrade
		write(t, filepath.Join(root, name), "", 0o644)
	}
	if running {
		write(t, filepath.Join(root, "run/systemd/system/x"), "", 0o644)
	}
	wants := filepath.Join(root, "etc/systemd/system/multi-user.target.wants")
	if err := os.MkdirAll(wants, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, unit := range []string{"films.service", "films-gone.service"} {
		if err := os.Symlink(filepath.Join(root, "usr/lib/systemd/system", unit), filepath.Join(wants, unit)); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// paths lists what is below root.
func paths(t *testing.T, root string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		all = append(all, strings.TrimPrefix(path, root+"/"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// act runs a script on the host at root and returns what it called. The script
// must say nothing.
func act(t *testing.T, root, name, body, argument string) string {
	t.Helper()
	for _, dir := range []string{"/etc/", "/run/", "/usr/lib/", "/var/"} {
		body = strings.ReplaceAll(body, dir, root+dir)
	}
	shell := "sh"
	if strings.HasPrefix(name, "archlinux/") {
		shell, body = "bash", "f() {\n"+body+"}\nf \"$@\"\n"
	}
	tools, calls := t.TempDir(), filepath.Join(t.TempDir(), "calls")
	for _, tool := range []string{"systemctl", "systemd-sysusers", "systemd-tmpfiles", "chgrp"} {
		write(t, filepath.Join(tools, tool), "#!/bin/sh\necho \"${SYSTEMD_OFFLINE:+SYSTEMD_OFFLINE=$SYSTEMD_OFFLINE }${0##*/} $*\" >>"+calls+"\n", 0o755)
	}
	write(t, calls, "", 0o644)
	cmd := exec.Command(shell, "-s", argument)
	cmd.Stdin = strings.NewReader(body)
	cmd.Env = []string{"PATH=" + tools + ":" + os.Getenv("PATH"), "KINECTL_TRANSACTION=" + os.Getenv("KINECTL_TRANSACTION")}
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%s %s: %v %s", name, argument, err, out)
	}
	got, err := os.ReadFile(calls)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(got), root, "")
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
