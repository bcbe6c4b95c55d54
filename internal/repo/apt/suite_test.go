package apt

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kinectl/kinectl/internal/repo/debfile"
	"github.com/kinectl/kinectl/internal/repo/index"
	"github.com/kinectl/kinectl/internal/repo/signing"
	"github.com/kinectl/kinectl/internal/repo/storage"
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

// memory is a repository in memory, which notes what is read of it.
type memory struct {
	mu    sync.Mutex
	files map[string][]byte
	read  []string
}

func (m *memory) Get(_ context.Context, name string, limit int64) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.read = append(m.read, name)
	body, found := m.files[name]
	switch {
	case !found:
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	case int64(len(body)) > limit:
		return nil, storage.ErrTooLong
	}
	return body, nil
}

func (m *memory) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	body, err := m.Get(ctx, name, 1<<40)
	return io.NopCloser(bytes.NewReader(body)), err
}

func (m *memory) String() string { return "memory" }

// put writes files as a Store does.
func (m *memory) put(t testing.TB, files []storage.File) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, f := range files {
		body := m.files[f.LinkOf]
		if f.LinkOf == "" {
			in, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			if body, err = io.ReadAll(in); err != nil {
				t.Fatal(err)
			}
		}
		if int64(len(body)) != f.Size {
			t.Errorf("%s: %d bytes, announced were %d", f.Name, len(body), f.Size)
		}
		m.files[f.Name] = body
	}
}

// place is a repository with its key.
type place struct {
	*memory
	signers signing.Signers
	trusted signing.Keyring
}

func newPlace(t testing.TB) place {
	t.Helper()
	key, err := signing.NewKey("test", signing.Ed25519, clock)
	if err != nil {
		t.Fatal(err)
	}
	trusted, err := signing.Keyring{}.With(key.Certificate())
	if err != nil {
		t.Fatal(err)
	}
	return place{&memory{files: map[string][]byte{}}, signing.Signers{key}, trusted}
}

// publish writes a state.
func (p place) publish(t testing.TB, s *Suite) {
	t.Helper()
	p.put(t, s.IndexFiles(false))
	p.put(t, s.FixedFiles(false))
	roots, err := s.Sign(t.Context(), p.signers)
	if err != nil {
		t.Fatal(err)
	}
	p.put(t, roots)
}

func (p place) load(t testing.TB) *Suite {
	t.Helper()
	s, err := Load(t.Context(), p, "stable", p.trusted, clock)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// apply makes a change that must be possible, telling the files of packages
// that are asked for as pkg makes them.
func apply(t testing.TB, s *Suite, c Change) *Suite {
	t.Helper()
	if c.Now.IsZero() {
		c.Now = clock
	}
	missing, err := s.Missing(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range missing {
		c.Newest = append(c.Newest, pkg(e.Name, e.Version, e.Architecture, e.SHA256[:1]))
	}
	next, err := s.Apply(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// pkg is a package whose digest is one repeated digit. It has a file of its
// own, one of this version, and one that it shares with others.
func pkg(name, version, arch, content string) Package {
	return Package{
		Entry: index.Entry{
			Format: format, Name: name, Version: version, Architecture: arch, Filename: PoolPath(name, version, arch),
			Size: 100, SHA256: strings.Repeat(content, 64), Published: clock,
		},
		Control: []debfile.Field{
			{Name: "Package", Value: name},
			{Name: "Version", Value: version},
			{Name: "Architecture", Value: arch},
			{Name: "Maintainer", Value: "Jo Doe <jo@example.com>"},
			{Name: "Section", Value: "misc"},
			{Name: "Description", Value: "a package for tests\n that does nothing"},
		},
		Files: []string{"/usr/bin/" + name, "/usr/share/doc/" + name + "/" + version, "/usr/share/shared file"},
	}
}

// plain is the text of an index as it is in memory.
func plain(t testing.TB, l *list) string {
	t.Helper()
	text, err := l.read(t.Context(), index.Gzip, index.Plain)
	if err != nil {
		t.Fatal(err)
	}
	p, err := text.Pack(index.Plain)
	if err != nil {
		t.Fatal(err)
	}
	return string(p.Plain)
}

func TestGolden(t *testing.T) {
	lib := pkg("libhello2", "1:1.0-1", "amd64", "a")
	lib.Control = append(lib.Control, debfile.Field{Name: "Conffiles", Value: "\n /etc/hello 0123"},
		debfile.Field{Name: "sha256", Value: "forged"}, debfile.Field{Name: "Filename", Value: "forged"})
	lib.Control[4].Value = "contrib/libs"
	lib.Files = append(lib.Files, "/etc/new\nline", "/usr/lib/größe   x")
	bare := pkg("hello", "1.10", "all", "b")
	bare.Control = slices.Delete(bare.Control, 4, 5) // without a section
	day := 24 * time.Hour
	s := apply(t, NewSuite("kinectl", "stable"), Change{Add: []Package{bare, lib, pkg("hello", "1.9", "amd64", "c")}, ValidFor: &day})
	golden(t, "Packages", []byte(plain(t, s.packages["amd64"])))
	golden(t, "Contents", []byte(plain(t, s.contents["amd64"])))

	release := s.Release() // without the packed files, whose bytes are the library's choice
	release.Files = slices.DeleteFunc(slices.Clone(release.Files), func(f File) bool { return filepath.Ext(f.Path) != "" })
	golden(t, "Release", release.render())
	parsed, err := parseRelease(string(s.text))
	if err != nil || !bytes.Equal(parsed.render(), s.text) {
		t.Errorf("Release does not read back: %v\n%s", err, parsed.render())
	}
}

func TestConflicts(t *testing.T) {
	start := apply(t, NewSuite("kinectl", "stable"), Change{Add: []Package{
		pkg("hello", "1.0", "amd64", "1"), pkg("hello", "1:2.0", "amd64", "2"), pkg("docs", "1.0", "all", "3"),
	}})
	f := func(want string, add ...Package) {
		t.Helper()
		next, err := start.Apply(t.Context(), Change{Add: add, Now: clock})
		got := fmt.Sprint(err)
		if err == nil {
			entries, err := next.Entries(t.Context())
			got = fmt.Sprint(err)
			for _, e := range entries {
				got += " " + e.Name + "=" + e.Version + "/" + e.Architecture
			}
			got += fmt.Sprint(" ", next.Release().Architectures)
		} else if !errors.Is(err, ErrConflict) || next != nil {
			t.Errorf("%v is no ErrConflict", err)
		}
		if !strings.Contains(got, want) {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if entries, err := start.Entries(t.Context()); len(entries) != 3 || err != nil {
			t.Errorf("the state before has changed: %v %v", entries, err)
		}
	}
	f("docs=1.0/all hello=1.0/amd64 hello=1.5/amd64 hello=1:2.0/amd64 [amd64 arm64]", pkg("hello", "1.5", "amd64", "4"))
	f("docs=1.0/all hello=1.0/amd64 hello=1:2.0/amd64 [", pkg("hello", "1.0", "amd64", "1"))
	f("hello=1.0/amd64 hello=1.0/arm64 hello=1:2.0/amd64 [", pkg("hello", "1.0", "arm64", "4"))
	f("docs=1.0/all docs=1.1/all hello=1.0/amd64 hello", pkg("docs", "1.1", "all", "4"), pkg("docs", "1.1", "all", "4"))
	f("hello 1.0 amd64 is there with other content", pkg("hello", "1.0", "amd64", "9"))
	f("hello 1.5 amd64 is there with other content", pkg("hello", "1.5", "amd64", "4"), pkg("hello", "1.5", "amd64", "5"))
	f("hello 2.0 amd64 would take the file name of version 1:2.0", pkg("hello", "2.0", "amd64", "9"))
	f("hello 1.0 is there for architecture amd64", pkg("hello", "1.0", "all", "9"))
	f("docs 1.0 is there for architecture all", pkg("docs", "1.0", "amd64", "9"))
	f("hello 1.0 amd64 is there with other content (sha256 111111111111…, this is 999999999999…); a published version never changes\n"+
		"docs 1.0", pkg("hello", "1.0", "amd64", "9"), pkg("docs", "1.0", "all", "9"))
}

// TestNewArchitecture: it has the packages that fit every architecture.
func TestNewArchitecture(t *testing.T) {
	s := apply(t, NewSuite("kinectl", "stable"), Change{Add: []Package{pkg("docs", "1.0", "all", "3"), pkg("hello", "1.0", "amd64", "1")}})
	s = apply(t, s, Change{Add: []Package{pkg("hello", "1.0", "riscv64", "4")}})
	packages, contents := plain(t, s.packages["riscv64"]), plain(t, s.contents["riscv64"])
	if strings.Count(packages, "Package: ") != 2 || !strings.Contains(packages, "Package: docs\n") || !strings.Contains(contents, "usr/bin/docs   misc/docs\n") {
		t.Errorf("riscv64 has\n%s\n%s", packages, contents)
	}
	if entries, err := s.Entries(t.Context()); err != nil || len(entries) != 3 {
		t.Errorf("%d entries, %v", len(entries), err)
	}
	if e, found, err := s.Find(t.Context(), "docs", "1.0", "all"); err != nil || !found || !e.Published.Equal(clock) {
		t.Errorf("Find: %+v, %v, %v", e, found, err)
	}
	if _, found, err := s.Find(t.Context(), "docs", "1.0", "mips"); err != nil || found {
		t.Errorf("Find in an architecture that is not there: %v, %v", found, err)
	}
}

// TestLikeModel changes a suite at random, writing it and loading it again
// each time, and holds it against a list of packages.
func TestLikeModel(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	p := newPlace(t)
	s := NewSuite("kinectl", "stable")
	model := map[string]Package{}
	for round := range 30 {
		var c Change
		touched := map[string]bool{}
		for range random.IntN(30) {
			name := fmt.Sprintf("p%d", random.IntN(12))
			version := fmt.Sprintf("1.%d", random.IntN(12))
			arch := []string{"amd64", "arm64", "all"}[random.IntN(3)]
			key := index.Key(name, version, arch)
			_, exists := model[key]
			if touched[key] {
				continue
			}
			touched[key] = true
			switch {
			case exists && random.IntN(2) == 0:
				c.Remove = append(c.Remove, model[key].Entry)
			case !exists && !conflicts(model, name, version, arch):
				model[key] = pkg(name, version, arch, "a")
				c.Add = append(c.Add, model[key])
			}
		}
		for _, e := range c.Remove {
			delete(model, e.Key())
		}
		c.Remove = append(c.Remove, pkg("never", "1", "all", "a").Entry, pkg("never", "1", "mips", "a").Entry)
		s = apply(t, s, c)
		p.publish(t, s)
		s = p.load(t)
		if round%3 == 0 {
			s.Versions(t.Context(), "p1") // from another form
		}
		sameAsModel(t, s, model)
	}
}

func conflicts(model map[string]Package, name, version, arch string) bool {
	for _, p := range model {
		if e := p.Entry; e.Name == name && e.Version == version && (e.Architecture == "all" || arch == "all") {
			return true
		}
	}
	return false
}

func sameAsModel(t *testing.T, s *Suite, model map[string]Package) {
	t.Helper()
	entries, err := s.Entries(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := slices.SortedFunc(maps.Values(model), func(a, b Package) int { return compareEntries(a.Entry, b.Entry) })
	if !slices.EqualFunc(entries, want, func(e index.Entry, p Package) bool { return e == p.Entry }) {
		t.Fatalf("%d entries, want %d", len(entries), len(want))
	}
	for _, arch := range []string{"amd64", "arm64"} {
		latest := map[string]Package{}
		for _, p := range want {
			if p.Entry.Architecture == arch || p.Entry.Architecture == "all" {
				latest[p.Entry.Name] = p
			}
		}
		lines := map[string][]string{}
		for _, name := range slices.Sorted(maps.Keys(latest)) {
			for _, file := range latest[name].Files {
				lines[file[1:]] = append(lines[file[1:]], "misc/"+name)
			}
		}
		contents := ""
		for _, path := range slices.Sorted(maps.Keys(lines)) {
			contents += path + "   " + strings.Join(lines[path], ",") + "\n"
		}
		if got := plain(t, s.contents[arch]); got != contents {
			t.Fatalf("Contents-%s:\n%s\nwant:\n%s", arch, got, contents)
		}
	}
}
