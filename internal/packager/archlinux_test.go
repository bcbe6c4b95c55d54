package packager

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/kinectl/kinectl/internal/needs"
)

func TestArchlinux(t *testing.T) {
	file := pack(t, t.TempDir(), "archlinux", films(t, "1.0.0-rc1"), Options{Arch: "amd64", Distribution: "arch"})
	packed, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zstd.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	described := map[string][]byte{}
	var got []string
	for _, m := range members(t, z) {
		switch {
		case m.ModTime.Unix() != 1700000000:
			t.Errorf("time: %+v", m.Header)
		case m.Name[0] == '.':
			described[m.Name] = m.body
		case m.Typeflag != tar.TypeDir:
			got = append(got, m.line())
		}
	}
	if !slices.Equal(got, installed) {
		t.Errorf("files: got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(installed, "\n"))
	}
	for _, want := range []string{
		"pkgname = films\n", "pkgver = 1.0.0rc1-1\n", "arch = x86_64\n", "license = Apache-2.0\n", "packager = Films <films@example.com>\n",
		"backup = etc/films/films.conf\n", "depend = systemd\n", "depend = libvips42>=8.14\n", "depend = tzdata-ar\n", "builddate = 1700000000\n",
	} {
		if !bytes.Contains(described[".PKGINFO"], []byte(want)) {
			t.Errorf("without %q:\n%s", want, described[".PKGINFO"])
		}
	}
	for _, want := range []string{"function pre_remove() {\n", "function post_remove() {\n", "systemctl stop films-cleanup.timer films.socket "} {
		if !bytes.Contains(described[".INSTALL"], []byte(want)) {
			t.Errorf("without %q:\n%s", want, described[".INSTALL"])
		}
	}
	tree, err := gzip.NewReader(bytes.NewReader(described[".MTREE"]))
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(tree); err != nil || !bytes.Contains(body, []byte("./usr/bin/films time=1700000000.0 mode=755 size=1700000 type=file")) {
		t.Errorf(".MTREE: %v\n%s", err, body)
	}
}

// TestArchlinuxLife installs, upgrades and removes with pacman in a root of
// its own; the hooks of Arch and a shell are not there.
func TestArchlinuxLife(t *testing.T) {
	needs.Program(t, "pacman", "the package was not installed by pacman")
	if os.Geteuid() != 0 {
		t.Skip("not root: the package was not installed by pacman")
	}
	root, dir := t.TempDir(), t.TempDir()
	db := filepath.Join(root, "var/lib/pacman")
	if err := os.MkdirAll(db, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "pacman.conf"), "[options]\nArchitecture = x86_64\nSigLevel = Never\n", 0o644)
	pacman := func(args ...string) string {
		t.Helper()
		return run(t, append([]string{
			"pacman", "--noconfirm", "--config", filepath.Join(dir, "pacman.conf"), "--root", root, "--dbpath", db,
			"--cachedir", dir, "--logfile", filepath.Join(dir, "log"), "--hookdir", dir, "--gpgdir", dir,
		}, args...)...)
	}
	first := pack(t, dir, "archlinux", films(t, "1.0.0"), Options{Arch: "amd64"})
	changed := films(t, "1.1.0")
	write(t, changed.Files[0].Source, "size=2\n", 0o600)
	second := pack(t, dir, "archlinux", changed, Options{Arch: "amd64"})

	pacman("-Udd", "--noscriptlet", first)
	pacman("-Qkk", "films")
	config := filepath.Join(root, "etc/films/films.conf")
	write(t, config, "size=mine\n", 0o640)
	pacman("-Udd", "--noscriptlet", second)
	if got := pacman("-Q", "films"); got != "films 1.1.0-1\n" {
		t.Errorf("pacman -Q: %s", got)
	}
	is := func(path, want string) {
		t.Helper()
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("%s holds %q, %v; want %q", path, got, err, want)
		}
	}
	is(config, "size=mine\n")
	is(config+".pacnew", "size=2\n")
	pacman("-Udd", "--noscriptlet", first)
	pacman("-R", "--noscriptlet", "films")
	is(config+".pacsave", "size=mine\n")
	for _, path := range []string{"usr/bin/films", "usr/share/films", "usr/share/kinectl"} {
		if _, err := os.Lstat(filepath.Join(root, path)); err == nil {
			t.Errorf("%s is left", path)
		}
	}
}
