package repo

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goreleaser/nfpm/v2"
	"github.com/goreleaser/nfpm/v2/files"
	"github.com/goreleaser/nfpm/v2/rpm"
	"github.com/klauspost/compress/gzip"

	"github.com/kinectl/kinectl/internal/repo/signing"
)

// clock is the time of every test that does not need another.
var clock = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// at is the options with another time.
func (o Options) at(now time.Time) Options {
	o.Now = func() time.Time { return now }
	return o
}

// in is the options with another suite.
func (o Options) in(suite string) Options {
	o.Suite = suite
	return o
}

// testRepo is an empty repository with an Ed25519 key, which is quick to make.
func testRepo(t *testing.T) (dir string, o Options) {
	t.Helper()
	base := t.TempDir()
	dir = filepath.Join(base, "repository")
	o = Options{KeyDir: filepath.Join(base, "keys")}.at(clock)
	testInit(t, dir, o)
	return dir, o
}

func testInit(t *testing.T, dir string, o Options) {
	t.Helper()
	if _, err := Init(t.Context(), dir, InitOptions{Options: o, KeyType: signing.Ed25519}); err != nil {
		t.Fatal(err)
	}
}

// testPublish publishes packages that must be accepted.
func testPublish(t *testing.T, dir string, o Options, files ...string) []Published {
	t.Helper()
	published, err := Publish(t.Context(), dir, files, o)
	if err != nil {
		t.Fatal(err)
	}
	return published
}

// testOpen opens a directory at the tests' clock and reads every package, so
// that it fails on anything that is not whole.
func testOpen(t *testing.T, dir string, options ...OpenOption) *Reader {
	t.Helper()
	r, err := Open(t.Context(), dir, append([]OpenOption{WithClock(func() time.Time { return clock })}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range testEntries(t, r) {
		if _, err := r.file(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func testEntries(t *testing.T, r *Reader) []Entry {
	t.Helper()
	entries, err := r.Entries(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

// testVerify checks a whole repository; problems are fatal.
func testVerify(t *testing.T, dir string, now time.Time) *Verified {
	t.Helper()
	v, err := Verify(t.Context(), dir, VerifyOptions{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range v.Problems {
		t.Errorf("%s: %s", p.File, p.Error)
	}
	return v
}

// versions lists what a suite has: "deb hello 1.0 amd64".
func versions(t *testing.T, dir, suite string) string {
	t.Helper()
	var lines []string
	for _, e := range testEntries(t, testOpen(t, dir, WithSuite(suite), WithClock(func() time.Time { return clock.Add(1000 * time.Hour) }))) {
		lines = append(lines, strings.Join([]string{e.Format, e.Name, e.Version, e.Architecture}, " "))
	}
	return strings.Join(lines, "\n")
}

// rpmFile writes an rpm package whose only file holds body.
func rpmFile(t testing.TB, name, version, arch, body string) string {
	t.Helper()
	info := nfpm.WithDefaults(&nfpm.Info{
		Name: name, Version: version, Release: "1", Arch: arch, VersionSchema: "none", Maintainer: "Jo Doe <jo@example.com>", Description: "a package for tests", MTime: clock,
		Overridables: nfpm.Overridables{
			Contents: files.Contents{{Destination: "/usr/share/" + name + "/body", Source: textFile(t, body), FileInfo: &files.ContentFileInfo{Mode: 0o644, MTime: clock}}},
			RPM:      nfpm.RPM{BuildHost: "localhost"},
		},
	})
	file := filepath.Join(t.TempDir(), fmt.Sprintf("%s-%s-1.%s.rpm", name, version, arch))
	out, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if err := nfpm.PrepareForPackager(info, "rpm"); err != nil {
		t.Fatal(err)
	}
	if err := rpm.DefaultRPM.Package(info, out); err != nil {
		t.Fatal(err)
	}
	return file
}

func textFile(t testing.TB, body string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(file, []byte(body), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// control is the control file of a package that does nothing.
func control(name, version, arch string) string {
	return fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: %s\nMaintainer: Jo Doe <jo@example.com>\n"+
		"Description: a package for tests\n that does nothing\n", name, version, arch)
}

// debFile writes a package whose payload is body, and returns its path.
func debFile(t testing.TB, name, version, arch, body string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), fmt.Sprintf("%s_%s_%s.deb", name, strings.ReplaceAll(version, ":", "."), arch))
	deb := makeAr(
		"debian-binary", "2.0\n",
		"control.tar.gz", makeTar(t, "./control", control(name, version, arch)),
		"data.tar.gz", makeTar(t, "./usr/share/kinectl/"+name+"/spec.yml", body),
	)
	if err := os.WriteFile(file, deb, 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// makeAr packs pairs of name and content.
func makeAr(pairs ...string) []byte {
	var b bytes.Buffer
	b.WriteString("!<arch>\n")
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&b, "%-16s%-12d%-6d%-6d%-8s%-10d`\n%s", pairs[i], 0, 0, 0, "100644", len(pairs[i+1]), pairs[i+1])
		if len(pairs[i+1])%2 == 1 {
			b.WriteByte('\n')
		}
	}
	return b.Bytes()
}

func makeTar(t testing.TB, name, body string) string {
	t.Helper()
	var b bytes.Buffer
	packed := gzip.NewWriter(&b)
	archive := tar.NewWriter(packed)
	if err := archive.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(body))}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(archive, body); err != nil {
		t.Fatal(err)
	}
	for _, c := range []io.Closer{archive, packed} {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

func gunzip(t *testing.T, file string) string {
	t.Helper()
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	packed, err := gzip.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(packed)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func text(t *testing.T, open func() (io.ReadCloser, error)) string {
	t.Helper()
	in, err := open()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	body, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// TestMain lets this program be the publisher that kill tests kill.
func TestMain(m *testing.M) {
	if os.Getenv(publisherDir) != "" {
		os.Exit(publisher(context.Background()))
	}
	os.Exit(m.Run())
}
