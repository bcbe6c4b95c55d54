package packager

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// broken fails after so many bytes.
type broken struct{ left int }

func (b *broken) Write(p []byte) (int, error) {
	if len(p) > b.left {
		return b.left, errors.New("no space left on device")
	}
	b.left -= len(p)
	return len(p), nil
}

func TestFaults(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	f := func(what, format string, o Options, change func(*Contents), want ...string) {
		t.Helper()
		c := films(t, "1.2.0")
		change(&c)
		err := Write(t.Context(), format, c, o, io.Discard)
		if err == nil {
			t.Errorf("%s was packed", what)
			return
		}
		for _, w := range append(want, "package films "+c.Plan.Version.Label+" as "+format+" for ") {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %q does not say %q", what, err, w)
			}
		}
	}
	amd64 := Options{Arch: "amd64"}
	f("a format", "exe", amd64, func(*Contents) {}, `no package format "exe"`, "deb, rpm, apk, archlinux")
	f("a distribution", "deb", Options{Arch: "amd64", Distribution: "rhel9"}, func(*Contents) {}, "rhel9 is no distribution of deb packages")
	f("a compression", "rpm", Options{Arch: "amd64", Compression: "none"}, func(*Contents) {}, `"none"`, "zstd:3, gzip, xz")
	f("a level", "archlinux", Options{Arch: "amd64", Compression: "zstd:9"}, func(*Contents) {}, "use zstd")
	for _, format := range []string{"deb", "rpm"} {
		for compression, want := range map[string]string{
			"xz:9": "xz has no level here", "xz:abc": "xz has no level here", "gzip:77": "from 1 to 9", "gzip:0": "from 1 to 9", "gzip:": "from 1 to 9",
			"zstd:99": "from 1 to 22", "zstd:best": "from 1 to 22", "zstd:+3": "from 1 to 22", "zstd:3:3": "from 1 to 22",
		} {
			f("the level of "+compression, format, Options{Arch: "amd64", Compression: compression}, func(*Contents) {}, `"`+compression+`"`, want)
		}
	}
	f("a version of apk", "apk", amd64, func(c *Contents) { c.Plan.Version.APK = "" }, "no form of the version 1.2.0", "alpha, beta, pre and rc")
	for _, format := range Formats() {
		f("no program", format, amd64, func(c *Contents) { c.Binary += "-nothing" }, "[program]*-nothing: no such file", "build or fetch it first")
		f("no file", format, amd64, func(c *Contents) { c.Files[0].Source += "-nothing" }, "films.conf-nothing: no such file")
		f("a path that climbs", format, amd64, func(c *Contents) { c.Rendered[0].Install = "/usr/../etc/passwd" }, "/usr/../etc/passwd", "no absolute path")
		f("one place for two", format, amd64, func(c *Contents) { c.Files[0].Destination = "/usr/bin/films" }, "[program]* and ", "films.conf would be installed as /usr/bin/films")
		f("one place inside of a folder", format, amd64, func(c *Contents) { c.Files[0].Destination = "/usr/share/films/assets/logo.svg" }, "/films.conf and ", "logo.svg would be", "give one another place")
		f("a file below a file", format, amd64, func(c *Contents) { c.Files[0].Destination = "/usr/bin/films/x" }, "films.conf would be installed below /usr/bin/films, which is a file")
		f("a link that leaves its folder", format, amd64, func(c *Contents) {
			if err := os.Symlink("../../films.conf", filepath.Join(c.Files[1].Source, "bin", "out")); err != nil {
				t.Fatal(err)
			}
		}, "out is a link to ../../films.conf, out of its folder")
		f("a pipe", format, amd64, func(c *Contents) {
			if err := syscall.Mkfifo(filepath.Join(c.Files[1].Source, "pipe"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "pipe is neither a file nor a folder")
		for _, place := range []string{"/usr/share/films/a\nb", "/usr/share/films/a\x7f", "/usr/share/films/a\xff"} {
			f("a control character", format, amd64, func(c *Contents) { c.Files[0].Destination, c.Files[0].Config = place, false }, "films.conf", fmt.Sprintf("%q", place), "control characters")
		}
		f("a control character below a folder", format, amd64, func(c *Contents) { write(t, filepath.Join(c.Files[1].Source, "a\nb"), "", 0o644) }, `assets/a\nb" would be`, "control characters")
		f("a link to a control character", format, amd64, func(c *Contents) {
			if err := os.Symlink("a\nb", filepath.Join(c.Files[1].Source, "link")); err != nil {
				t.Fatal(err)
			}
		}, "link", `"a\nb"`)
		for _, place := range []string{"/etc/films/a b", "/etc/films/größe", "/srv/a b"} { // the last by its type
			f("a name of configuration", format, amd64, func(c *Contents) { c.Files[0].Destination = place }, "films.conf", place, "ASCII without blanks")
		}
		f("a unit's name", format, amd64, func(c *Contents) { c.Rendered[0].Install = "/usr/lib/systemd/system/a b;c.service" }, `"a b;c.service"`)
	}
	// Of every size at which a disk could be full, some hit what is written last.
	for _, format := range Formats() {
		var b bytes.Buffer
		c := films(t, "1.2.0")
		if err := Write(t.Context(), format, c, amd64, &b); err != nil {
			t.Fatal(err)
		}
		for _, room := range []int{0, 100, b.Len() / 2, b.Len() - 100, b.Len() - 1} {
			if err := Write(t.Context(), format, c, amd64, &broken{room}); err == nil || !strings.Contains(err.Error(), "no space left on device") {
				t.Errorf("%s on a disk that is full after %d of %d bytes: %v", format, room, b.Len(), err)
			}
		}
	}
	if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
