package packager

import (
	"bytes"
	"compress/gzip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/internal/needs"
)

func TestDebForDpkg(t *testing.T) {
	needs.Program(t, "dpkg-deb", "the package was not read by dpkg")
	c := films(t, "1.0.0-rc1")
	file := pack(t, t.TempDir(), "deb", c, Options{Arch: "arm64", Distribution: "debian12"})
	f := func(field, want string) {
		t.Helper()
		if got := strings.TrimSpace(run(t, "dpkg-deb", "-f", file, field)); got != want {
			t.Errorf("%s is\n%s\nwant\n%s", field, got, want)
		}
	}
	f("Package", "films")
	f("Version", "1.0.0~~rc1~deb12")
	f("Architecture", "arm64")
	f("Maintainer", "Films <films@example.com>")
	f("Homepage", "https://example.com/films")
	f("Section", "misc")
	f("Depends", "systemd, ca-certificates, libvips42 (>= 8.14), old (<< 2), tzdata")
	f("Description", "catalogue of films: 100% \"größe\" $HOME\n Packed by kinectl for the hosts of the group applications.")

	var got []string
	for line := range strings.Lines(run(t, "dpkg-deb", "-c", file)) {
		f := strings.Fields(line)
		owner := "root/root"
		if strings.HasSuffix(f[5], "/films.conf") && f[0] == "-rw-r-----" {
			owner = "root/media" // not everybody may read it, but the service must
		}
		if f[1] != owner || f[3] != "2023-11-14" || f[4] != "22:13" {
			t.Errorf("owner or time: %s", line)
		}
		if !strings.HasSuffix(f[5], "/") {
			got = append(got, f[0]+" "+strings.TrimPrefix(strings.Join(f[5:], " "), "."))
		}
	}
	want := append(slices.Clone(installed), "-rw-r--r-- /usr/share/doc/films/changelog.gz", "-rw-r--r-- /usr/share/lintian/overrides/films")
	byPath := func(a, b string) int { return strings.Compare(a[11:], b[11:]) }
	slices.SortFunc(want, byPath)
	slices.SortFunc(got, byPath)
	if !slices.Equal(got, want) {
		t.Errorf("files: got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := run(t, "dpkg-deb", "-I", file, "conffiles"); got != "/etc/films/films.conf\n" {
		t.Errorf("conffiles: %s", got)
	}
}

// What every version of dpkg that is asked for can read.
func TestDebCompression(t *testing.T) {
	needs.Program(t, "dpkg-deb", "no compression was read by dpkg")
	c := films(t, "1.0.0")
	f := func(compression, member string) {
		t.Helper()
		file := pack(t, t.TempDir(), "deb", c, Options{Arch: "amd64", Compression: compression})
		if out := run(t, "dpkg-deb", "-c", file); strings.Count(out, "\n") < len(installed) {
			t.Errorf("%q: %s", compression, out)
		}
		if out := run(t, "ar", "t", file); !strings.Contains(out, member+"\n") {
			t.Errorf("%q gives %s", compression, out)
		}
	}
	f("", "data.tar.zst")
	f("zstd:9", "data.tar.zst")
	f("gzip", "data.tar.gz")
	f("gzip:1", "data.tar.gz")
	f("xz", "data.tar.xz")
	f("none", "data.tar")
}

func TestDebDescription(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		p := films(t, "1.0.0").Plan
		p.Description = in
		got, _, _ := strings.Cut(debDescription(p), "\nPacked by")
		if got != want {
			t.Errorf("the description %q becomes\n%s\nwant\n%s", in, got, want)
		}
	}
	f("The films.", "films")
	f("An API...", "API")
	f("Films", "Films")
	f("...", "service films")
	f(" - ! ", "service films")
	f(strings.Repeat("-", 90), "service films")
	f("7", "7")
	long := strings.Repeat("films, ", 12) + "and more."
	f(long, strings.Repeat("films, ", 9)+"films ...\nIn full: "+strings.Repeat("films, ", 9)[:62]+"\nfilms, films, films, and more.\n.")
	f(strings.Repeat("ö", 90), strings.Repeat("ö", 75)+" ...\nIn full:\n"+strings.Repeat("ö", 90)+"\n.")
}

func TestChangelog(t *testing.T) {
	c := films(t, "1.0.0")
	packed, err := changelog(c.Plan, Options{})
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := b.ReadFrom(z); err != nil {
		t.Fatal(err)
	}
	want := "films (1.0.0) stable; urgency=medium\n\n  * Version 1.0.0.\n\n -- Films <films@example.com>  Tue, 14 Nov 2023 22:13:20 +0000\n"
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &b, want)
	}
}

// TestDebForLintian packs a real Go program under every license and
// description that lintian has something to say about.
func TestDebForLintian(t *testing.T) {
	needs.Program(t, "lintian", "the package was not checked by Debian's rules")
	dir := t.TempDir()
	write(t, filepath.Join(dir, "main.go"), "package main\n\nfunc main() { println(1) }\n", 0o644)
	write(t, filepath.Join(dir, "go.mod"), "module x\n\ngo 1.26\n", 0o644)
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", "films")
	build.Dir, build.Env = dir, append(os.Environ(), "CGO_ENABLED=0", "GOARCH=amd64")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var all []string
	packed := t.TempDir()
	f := func(name string, change func(*Contents), o Options) {
		t.Helper()
		c := films(t, "1.0.0")
		c.Plan.Name, c.Binary, o.Arch = name, filepath.Join(dir, "films"), "amd64"
		change(&c)
		all = append(all, pack(t, packed, "deb", c, o))
	}
	f("as-it-is", func(*Contents) {}, Options{})
	f("proprietary", func(c *Contents) { c.Plan.Package.License, c.Plan.Package.Homepage = "proprietary", "" }, Options{Compression: "xz"})
	f("free", func(c *Contents) { c.Plan.Package.License = "GPL-3.0-or-later" }, Options{Distribution: "debian12"})
	f("two-licenses", func(c *Contents) { c.Plan.Package.License = "MIT OR Apache-2.0" }, Options{})
	f("long", func(c *Contents) { c.Plan.Description = strings.Repeat("all the films, ", 10) }, Options{})
	f("dots", func(c *Contents) { c.Plan.Description = "..." }, Options{})
	f("files-only", func(c *Contents) { c.Binary, c.Rendered = "", nil }, Options{})
	// lintian must see a fault where there is one.
	f("broken", func(c *Contents) { c.Plan.Package.Maintainer = "nobody" }, Options{})

	argv := append([]string{"--allow-root", "--fail-on", "error", "--tag-display-limit", "0"}, all...)
	out, _ := exec.Command("lintian", argv...).CombinedOutput()
	if !strings.Contains(string(out), "E: broken: ") {
		t.Fatalf("lintian takes a maintainer without an address: %s", out)
	}
	for line := range strings.Lines(string(out)) {
		switch {
		case strings.Contains(line, ": broken: "):
		case strings.HasPrefix(line, "W:") && strings.Contains(line, "no-manual-page"): // so it is
		case strings.HasPrefix(line, "W:") && strings.Contains(line, "non-standard-file-perm"): // as the spec has it
		case strings.HasPrefix(line, "W:"), strings.HasPrefix(line, "E:"):
			t.Error(line)
		}
	}
}
