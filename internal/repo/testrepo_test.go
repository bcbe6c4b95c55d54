package repo

import (
	"archive/tar"
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// clock is the time of every test that does not need another.
var clock = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// golden compares got with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (-update rewrites it); got:\n%s", file, got)
	}
}

// testRepo is an empty repository with an Ed25519 key, which is quick to make.
func testRepo(t *testing.T) (dir string, o Options) {
	t.Helper()
	base := t.TempDir()
	dir = filepath.Join(base, "apt")
	o = Options{KeyDir: filepath.Join(base, "keys"), Now: func() time.Time { return clock }}
	if _, err := Init(t.Context(), dir, InitOptions{Options: o, KeyType: Ed25519}); err != nil {
		t.Fatal(err)
	}
	return dir, o
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
	for _, e := range r.Entries() {
		if _, err := r.Package(t.Context(), e.Name, e.Version, e.Architecture); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// control is the control file of a package that does nothing.
func control(name, version, arch string) string {
	return fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: %s\nMaintainer: Jo Doe <jo@example.com>\n"+
		"Description: a package for tests\n that does nothing\n", name, version, arch)
}

// debFile writes a package whose payload is body, and returns its path.
func debFile(t testing.TB, name, version, arch, body string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), fmt.Sprintf("%s_%s_%s.deb", name, withoutEpoch(version), arch))
	deb := makeDeb(t, ".gz", control(name, version, arch), map[string]string{"./usr/share/kinectl/" + name + "/spec.yml": body})
	if err := os.WriteFile(file, deb, 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// makeDeb packs a package with one compression for both of its archives.
func makeDeb(t testing.TB, suffix, control string, files map[string]string) []byte {
	t.Helper()
	return makeAr(
		"debian-binary", "2.0\n",
		"control.tar"+suffix, makeTar(t, suffix, map[string]string{"./control": control}),
		"data.tar"+suffix, makeTar(t, suffix, files),
	)
}

// makeAr packs pairs of name and content.
func makeAr(pairs ...string) []byte {
	var b bytes.Buffer
	b.WriteString(arMagic)
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&b, "%-16s%-12d%-6d%-6d%-8s%-10d%s", pairs[i], 0, 0, 0, "100644", len(pairs[i+1]), arHeaderEnd)
		b.WriteString(pairs[i+1])
		if len(pairs[i+1])%2 == 1 {
			b.WriteByte('\n')
		}
	}
	return b.Bytes()
}

func makeTar(t testing.TB, suffix string, files map[string]string) string {
	t.Helper()
	var b bytes.Buffer
	var packed io.WriteCloser
	var err error
	switch suffix {
	case "":
		packed = nopCloser{&b}
	case ".gz":
		packed = gzip.NewWriter(&b)
	case ".xz":
		packed, err = xz.NewWriter(&b)
	case ".zst":
		packed, err = zstd.NewWriter(&b)
	}
	if err != nil {
		t.Fatal(err)
	}
	archive := tar.NewWriter(packed)
	for name, body := range files {
		if err := archive.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(body))}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(archive, body); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []io.Closer{archive, packed} {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// TestMain lets this program be the publisher that kill tests kill.
func TestMain(m *testing.M) {
	if os.Getenv(publisherDir) != "" {
		os.Exit(publisher(context.Background()))
	}
	os.Exit(m.Run())
}
