package packager

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/internal/needs"
)

func TestRPMForRPM(t *testing.T) {
	needs.Program(t, "rpm", "the package was not read by rpm")
	c := films(t, "1.0.0-rc1")
	file := pack(t, t.TempDir(), "rpm", c, Options{Arch: "amd64", Distribution: "rhel9"})
	db := t.TempDir()
	rpm := func(args ...string) string {
		t.Helper()
		return run(t, append([]string{"rpm", "--dbpath", db}, args...)...)
	}
	if out := rpm("-K", "--nosignature", file); !strings.HasSuffix(out, ": digests OK\n") {
		t.Errorf("rpm -K: %s", out)
	}
	f := func(tag, want string) {
		t.Helper()
		if got := rpm("-qp", "--qf", tag, file); got != want {
			t.Errorf("%s is\n%s\nwant\n%s", tag, got, want)
		}
	}
	f("%{NEVRA}", "films-1.0.0~rc1-1.el9.x86_64")
	f("%{SUMMARY}|%{LICENSE}|%{URL}|%{PACKAGER}|%{BUILDHOST}|%{BUILDTIME}", c.Plan.Description+"|Apache-2.0|https://example.com/films|"+c.Plan.Package.Maintainer+"|localhost|1700000000")
	f("%{PAYLOADCOMPRESSOR}", "zstd")
	f("[%{FILEUSERNAME}:%{FILEGROUPNAME} %{FILEMTIMES}\n]", "root:root 1700000000\nroot:media 1700000000\n"+strings.Repeat("root:root 1700000000\n", 20)) // films.conf has mode 0640
	want := []string{"ca-certificates", "libvips42 >= 8.14", "old < 2", "systemd", "tzdata-rh"}
	got := strings.Split(strings.TrimSpace(rpm("-qp", "--requires", file)), "\n")
	for _, r := range want {
		if !slices.Contains(got, r) {
			t.Errorf("requires %q, without %s", got, r)
		}
	}
	if out := rpm("-qp", "--configfiles", file); out != "/etc/films/films.conf\n" {
		t.Errorf("configuration: %s", out)
	}
	if out := rpm("-qp", "--scripts", file); strings.Count(out, "films-cleanup.timer") != 6 || strings.Contains(out, "{{") {
		t.Errorf("scripts: %s", out)
	}
	var listed []string
	for line := range strings.Lines(rpm("-qp", "--qf", "[%{FILEMODES:perms} %{FILENAMES} -> %{FILELINKTOS}\n]", file)) {
		if line = strings.TrimSuffix(strings.TrimSpace(line), " ->"); line[0] != 'd' {
			listed = append(listed, strings.Replace(line, "l---------", "lrwxrwxrwx", 1)) // rpm makes it so
		}
	}
	if !slices.Equal(listed, installed) {
		t.Errorf("files: got\n%s\nwant\n%s", strings.Join(listed, "\n"), strings.Join(installed, "\n"))
	}
}

func TestRPMCompression(t *testing.T) {
	needs.Program(t, "rpm", "no compression was read by rpm")
	c := films(t, "1.0.0")
	f := func(compression, want string) {
		t.Helper()
		file := pack(t, t.TempDir(), "rpm", c, Options{Arch: "amd64", Compression: compression})
		if got := run(t, "rpm", "-qp", "--qf", "%{PAYLOADCOMPRESSOR}", file); got != want {
			t.Errorf("%q gives %s", compression, got)
		}
		run(t, "rpm2archive", "-n", file)
		if out := run(t, "tar", "-tf", file+".tar"); !strings.Contains(out, "./usr/bin/films\n") || strings.Count(out, "\n") != 22 {
			t.Errorf("%q: %s", compression, out)
		}
	}
	f("", "zstd")
	f("zstd:9", "zstd")
	f("gzip", "gzip")
	f("xz", "xz")
}

// TestRPMLife installs, upgrades, downgrades and removes with dnf in a root of
// its own. The scripts run there, with tools of systemd that write down how
// they are called.
func TestRPMLife(t *testing.T) {
	for _, program := range []string{"dnf", "rpm", "ldd"} {
		needs.Program(t, program, "the package was not installed by dnf")
	}
	if os.Geteuid() != 0 {
		t.Skip("not root: the package was not installed by dnf")
	}
	root, dir := t.TempDir(), t.TempDir()
	stub := distribution(t, dir, "1.0.0")
	dnf := func(args ...string) {
		t.Helper()
		run(t, append([]string{
			"dnf", "-y", "-q", "--installroot", root, "--releasever=9", "--nogpgcheck", "--disablerepo=*", "--disableplugin=*", "--noplugins",
			"--setopt=cachedir=" + filepath.Join(dir, "cache"), "--setopt=logdir=" + dir, "--setopt=keepcache=0", "--setopt=install_weak_deps=0",
		}, args...)...)
	}
	version := func(label string, change func(*Contents)) string {
		c := films(t, label)
		c.Plan.Package.Depends = nil
		change(&c)
		return pack(t, dir, "rpm", c, Options{Arch: "amd64"})
	}
	first := version("1.0.0", func(*Contents) {})
	second := version("1.1.0", func(c *Contents) {
		c.Rendered = slices.Delete(c.Rendered, 2, 4) // without films-cleanup
		write(t, c.Files[0].Source, "size=2\n", 0o600)
	})
	// calls returns what systemd was told since the last time.
	calls := func() string {
		t.Helper()
		path := filepath.Join(root, "calls")
		body, err := os.ReadFile(path)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		os.Remove(path)
		return string(body)
	}
	expect := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", what, got, want)
		}
	}
	is := func(path, want string) {
		t.Helper()
		body, err := os.ReadFile(filepath.Join(root, path))
		if err != nil && want != "" || string(body) != want {
			t.Errorf("%s holds %q, %v; want %q", path, body, err, want)
		}
	}
	const made = "systemd-sysusers films.conf\nsystemd-tmpfiles --create films.conf\nsystemctl daemon-reload\n"

	dnf("install", stub, first)
	expect("install", calls(), made)
	if out := run(t, "rpm", "--root", root, "-V", "films"); out != "" {
		t.Errorf("rpm -V: %s", out)
	}
	// Somebody changes the configuration, enables the units and makes data.
	write(t, filepath.Join(root, "etc/films/films.conf"), "size=mine\n", 0o640)
	write(t, filepath.Join(root, "var/lib/films/data"), "data\n", 0o600)
	write(t, filepath.Join(root, "var/cache/films/x"), "x\n", 0o600)
	wants := filepath.Join(root, "etc/systemd/system/timers.target.wants/films-cleanup.timer")
	if err := os.MkdirAll(filepath.Dir(wants), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/usr/lib/systemd/system/films-cleanup.timer", wants); err != nil {
		t.Fatal(err)
	}

	dnf("upgrade", second)
	expect("upgrade", calls(), made+"systemctl stop films-cleanup.timer\nsystemctl stop films-cleanup.service\n")
	is("etc/films/films.conf", "size=mine\n")
	is("etc/films/films.conf.rpmnew", "size=2\n")
	if _, err := os.Lstat(wants); err == nil {
		t.Error("a unit that is gone is still enabled")
	}

	dnf("downgrade", first)
	expect("downgrade", calls(), made)
	is("etc/films/films.conf", "size=mine\n")
	is("usr/lib/systemd/system/films-cleanup.timer", string(films(t, "1.0.0").Rendered[3].Body))

	dnf("remove", "films")
	units := " films-cleanup.timer films.socket films-cleanup.service films-probe.service films.service\n"
	expect("remove", calls(), "systemctl stop"+units+"systemctl --quiet --no-reload disable"+units+"systemctl daemon-reload\nsystemctl reset-failed"+units)
	is("usr/bin/films", "")
	is("var/cache/films/x", "")
	is("etc/films/films.conf.rpmsave", "size=mine\n")
	is("var/lib/films/data", "data\n")
	for _, dir := range []string{"usr/share/films", "usr/share/doc/films", "usr/share/kinectl"} {
		if _, err := os.Stat(filepath.Join(root, dir)); err == nil {
			t.Errorf("/%s is left", dir)
		}
	}

	// And under a release by kinectl, systemd is told by that.
	t.Setenv("KINECTL_TRANSACTION", "1")
	dnf("install", second)
	expect("install by kinectl", calls(), strings.TrimSuffix(made, "systemctl daemon-reload\n"))
	is("etc/films/films.conf", "size=2\n")
}

// distribution packs a shell, and tools of systemd that only write down how
// they are called, as the packages that ours needs.
func distribution(t *testing.T, dir, label string) string {
	t.Helper()
	c := films(t, label)
	c.Plan.Name, c.Plan.Package.Depends, c.Rendered, c.Binary = "systemd", nil, nil, ""
	c.Files = nil
	add := func(source, destination string) {
		c.Files = append(c.Files, File{Source: source, Destination: destination, Mode: 0o755})
	}
	for _, program := range []string{"/bin/sh", "/bin/rm", "/bin/chgrp"} {
		add(program, "/usr"+program)
		add(program, program)
		for field := range strings.FieldsSeq(run(t, "ldd", program)) {
			if filepath.IsAbs(field) && !slices.ContainsFunc(c.Files, func(f File) bool { return f.Destination == field }) {
				add(field, field)
			}
		}
	}
	for _, program := range []string{"systemctl", "systemd-sysusers", "systemd-tmpfiles"} {
		path := filepath.Join(t.TempDir(), program)
		write(t, path, "#!/bin/sh\necho \"${0##*/} $*\" >>/calls\n", 0o755)
		add(path, "/usr/bin/"+program)
	}
	groups := filepath.Join(t.TempDir(), "group")
	write(t, groups, "root:x:0:\nmedia:x:990:\n", 0o644) // sysusers.d would make it
	c.Files = append(c.Files, File{Source: groups, Destination: "/etc/group", Mode: 0o644})
	null := filepath.Join(t.TempDir(), "null")
	write(t, null, "", 0o644)
	c.Files = append(c.Files, File{Source: null, Destination: "/dev/null", Mode: 0o644}, File{Source: null, Destination: "/run/systemd/system/empty", Mode: 0o644})
	return pack(t, dir, "rpm", c, Options{Arch: "amd64"})
}
