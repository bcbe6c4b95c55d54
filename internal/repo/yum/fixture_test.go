package yum

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/kinectl/kinectl/internal/repo/index"
	"github.com/kinectl/kinectl/internal/repo/rpmfile"
	"github.com/kinectl/kinectl/internal/repo/signing"
	"github.com/kinectl/kinectl/internal/repo/storage"
)

// clock is the time of every test that does not need another.
var clock = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

const keyID = "0123456789abcdef"

// testKey is one key for all tests: it never changes.
var testKey = sync.OnceValue(func() *signing.Key {
	key, err := signing.NewKey("test", signing.Ed25519, clock.AddDate(0, 0, -1))
	if err != nil {
		panic(err)
	}
	return key
})

func trusted(t testing.TB, key *signing.Key) signing.Keyring {
	t.Helper()
	ring, err := signing.ParseKeyring(key.Certificate())
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// tree is a repository in memory; the tests read it by one goroutine or many.
type tree map[string][]byte

func (t tree) Get(_ context.Context, name string, limit int64) ([]byte, error) {
	body, found := t[name]
	if !found {
		return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	}
	return storage.ReadAllLimit(bytes.NewReader(body), limit)
}

func (t tree) Open(_ context.Context, name string) (io.ReadCloser, error) {
	body, found := t[name]
	if !found {
		return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	}
	return io.NopCloser(bytes.NewReader(body)), nil
}

func (t tree) String() string { return "a tree in memory" }

// put keeps files, and holds their size against what they say.
func (t tree) put(tb testing.TB, files []storage.File) {
	tb.Helper()
	for _, f := range files {
		r, err := f.Open()
		if err != nil {
			tb.Fatal(err)
		}
		body, err := io.ReadAll(r)
		if err != nil || int64(len(body)) != f.Size {
			tb.Fatalf("%s has %d bytes and says %d, %v", f.Name, len(body), f.Size, err)
		}
		t[f.Name] = body
	}
}

// publish applies a change and writes what comes of it, the new files alone.
func (t tree) publish(tb testing.TB, r *Repository, key *signing.Key, c Change) *Repository {
	tb.Helper()
	if c.Now.IsZero() {
		c.Now = clock
	}
	next, err := r.Apply(tb.Context(), c)
	if err != nil {
		tb.Fatal(err)
	}
	files, err := next.IndexFiles(tb.Context(), false)
	if err != nil {
		tb.Fatal(err)
	}
	pair, roots, err := next.Sign(tb.Context(), signing.Signers{key})
	if err != nil {
		tb.Fatal(err)
	}
	for _, files := range [][]storage.File{files, pair, roots} {
		t.put(tb, files)
	}
	return next
}

func (t tree) load(tb testing.TB) *Repository {
	tb.Helper()
	r, err := Load(tb.Context(), maps.Clone(t), "stable", "x86_64", trusted(tb, testKey()), clock)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// write lays the tree out in a directory.
func (t tree) write(tb testing.TB, dir string) {
	tb.Helper()
	for name, body := range t {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(path, body, 0o644); err != nil {
			tb.Fatal(err)
		}
	}
}

// testPackage is one that was never built: name-version for architecture arch.
func testPackage(name, version, arch string) Package {
	epoch, ver, rel := splitVersion(version)
	number, _ := strconv.ParseUint(epoch, 10, 32)
	digest := sha256.Sum256([]byte(name + version + arch))
	p := Package{
		Entry: index.Entry{
			Format: "rpm", Name: name, Version: version, Architecture: arch,
			Size: 1000, SHA256: hex.EncodeToString(digest[:]), Published: clock,
		},
		RPM: &rpmfile.Package{
			Name: name, Version: ver, Release: rel, Epoch: uint32(number), Arch: arch, Summary: "a test",
			Files: []rpmfile.File{{Path: "/usr/bin/" + name}},
		},
		HeaderStart: 300, HeaderEnd: 900,
	}
	p.Entry.Filename = Filename("stable", "x86_64", keyID, p.Entry)
	return p
}
