package packager

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goreleaser/nfpm/v2/files"
)

// listing is what settle makes of files: mode, kind and place of each.
func listing(t *testing.T, all ...File) string {
	t.Helper()
	c := films(t, "1.0.0")
	c.Rendered, c.Binary, c.SBOM, c.Files = nil, "", nil, all
	entries, err := settle(c)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, e := range entries[2:] { // after /etc/films and the copyright
		lines = append(lines, e.mode.String()+" "+e.kind+" "+e.destination)
	}
	return strings.Join(lines, "\n")
}

func TestSettle(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "site/index.html"), "<p>", 0o600)
	write(t, filepath.Join(dir, "site/cgi/run"), "#!/bin/sh\n", 0o700)
	write(t, filepath.Join(dir, "other/cgi/stop"), "#!/bin/sh\n", 0o700)
	if err := os.Symlink("site", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	f := func(want string, all ...File) {
		t.Helper()
		for i := range all {
			all[i].Source = filepath.Join(dir, all[i].Source)
		}
		if got := listing(t, all...); got != strings.TrimSpace(want) {
			t.Errorf("%+v: got\n%s\nwant\n%s", all, got, want)
		}
	}
	f("-rw-r--r-- file /usr/share/x", File{Source: "site/index.html", Destination: "/usr/share/x"})
	f("-rwxr-xr-x file /usr/share/x", File{Source: "site/cgi/run", Destination: "/usr/share/x"})
	f("-r-------- file /usr/share/x", File{Source: "site/cgi/run", Destination: "/usr/share/x", Mode: 0o400})
	f("-rw-r--r-- config|noreplace /srv/x", File{Source: "site/index.html", Destination: "/srv/x", Config: true})
	f("-rw-r--r-- config|noreplace /etc/x", File{Source: "site/index.html", Destination: "/etc/x"})
	const tree = `
-rwxr-xr-x dir /srv/x
-rwxr-xr-x dir /srv/x/cgi
-rwxr-xr-x file /srv/x/cgi/run
-rw-r--r-- file /srv/x/index.html`
	f(tree, File{Source: "site", Destination: "/srv/x"})
	f(tree, File{Source: "link", Destination: "/srv/x/"})
	f(`
-rwxr-x--- dir /srv/x
-rwxr-x--- dir /srv/x/cgi
-rw-r----- config|noreplace /srv/x/cgi/run
-rw-r----- config|noreplace /srv/x/index.html`, File{Source: "site", Destination: "/srv/x", Mode: 0o640, Config: true})
	f(tree+"\n-rwxr-xr-x file /srv/x/cgi/stop", File{Source: "site", Destination: "/srv/x"}, File{Source: "other", Destination: "/srv/x"})
}

func TestUnits(t *testing.T) {
	f := func(want string, names ...string) {
		t.Helper()
		var all []entry
		for _, n := range names {
			all = append(all, entry{destination: "/usr/lib/systemd/system/" + n})
		}
		if got := strings.Join(unitsOf(all).Running(), " "); got != want {
			t.Errorf("units of %v: %s, want %s", names, got, want)
		}
	}
	f("")
	f("x-a.timer x.socket x-a.service x.service", "x.service", "x.socket", "x-a.service", "x-a.timer")
	f("'x@*.service'", "x@.service")
	f("", "sub/x.service")
	f("x.service", "x.service", "x.service.d/y.conf", "README", "y.conf")
	if got := unitsOf([]entry{{kind: files.TypeDir, destination: "/usr/lib/systemd/system/y.service"}, {kind: files.TypeDir, destination: "/usr/lib/tmpfiles.d/y"}}); got.Any() {
		t.Errorf("folders are units: %+v", got)
	}
}

// Blanks and letters of other languages are fine where no configuration is.
func TestNames(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "größe in m"), "", 0o644)
	want := "-rwxr-xr-x dir /srv/x\n-rw-r--r-- file /srv/x/größe in m"
	if got := listing(t, File{Source: dir, Destination: "/srv/x"}); got != want {
		t.Errorf("got\n%s", got)
	}
}
