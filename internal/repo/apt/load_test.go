package apt

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/kinectl/kinectl/internal/repo/index"
	"github.com/kinectl/kinectl/internal/repo/signing"
)

// published is a repository with three packages.
func published(t testing.TB) (place, *Suite) {
	t.Helper()
	p := newPlace(t)
	s := apply(t, NewSuite("kinectl", "stable"), Change{Add: []Package{
		pkg("hello", "1.0", "amd64", "1"), pkg("hello", "1.0", "arm64", "2"), pkg("docs", "1.0", "all", "3"),
	}})
	p.publish(t, s)
	return p, s
}

// TestReads: nothing is read that is not needed.
func TestReads(t *testing.T) {
	p, _ := published(t)
	f := func(what string, do func(*Suite) error, want ...string) {
		t.Helper()
		p.read = nil
		s := p.load(t)
		if !slices.Equal(p.read, []string{"dists/stable/InRelease"}) {
			t.Errorf("Load reads %q", p.read)
		}
		p.read = nil
		if err := do(s); err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, path := range want {
			file, found := s.release.File(path)
			if !found {
				t.Fatalf("there is no %s", path)
			}
			names = append(names, s.hashName(file))
		}
		slices.Sort(names)
		slices.Sort(p.read)
		if !slices.Equal(p.read, names) {
			t.Errorf("%s reads %q, want %q", what, p.read, names)
		}
	}
	f("Find", func(s *Suite) error {
		_, found, err := s.Find(t.Context(), "hello", "1.0", "arm64")
		if !found {
			t.Error("not found")
		}
		return err
	}, "main/binary-arm64/Packages.gz")
	f("Entries", func(s *Suite) error {
		_, err := s.Entries(t.Context())
		return err
	}, "main/binary-amd64/Packages.zst", "main/binary-arm64/Packages.zst")
	add := func(packages ...Package) func(s *Suite) error {
		return func(s *Suite) error {
			_, err := s.Apply(t.Context(), Change{Add: packages, Now: clock})
			return err
		}
	}
	amd64 := []string{"main/binary-amd64/Packages", "main/binary-amd64/Packages.gz", "main/binary-amd64/Packages.zst"}
	f("Apply of amd64", add(pkg("hello", "2.0", "amd64", "4")), append(amd64, "main/Contents-amd64.gz")...)
	f("resign", add())
	f("removal of an old version", func(s *Suite) error {
		_, err := s.Apply(t.Context(), Change{Remove: []index.Entry{pkg("never", "1", "amd64", "1").Entry}, Now: clock})
		return err
	}, amd64...)
}

// TestFiles: what is to be written for a change, and what has to stay.
func TestFiles(t *testing.T) {
	p, s := published(t)
	next := apply(t, p.load(t), Change{Add: []Package{pkg("hello", "2.0", "amd64", "4")}})
	count := func(what string, got, want int) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %d, want %d", what, got, want)
		}
	}
	count("new indexes", len(next.IndexFiles(false)), 4) // Packages in three forms, Contents
	count("new fixed names", len(next.FixedFiles(false)), 4)
	count("all indexes", len(next.IndexFiles(true)), 8)
	count("all fixed names", len(next.FixedFiles(true)), 8)
	count("names", len(next.Names()), 8)
	resigned := apply(t, next, Change{Now: clock.Add(time.Hour)})
	count("indexes of a new root", len(resigned.IndexFiles(false)), 0)
	if !slices.Equal(resigned.Names(), next.Names()) || slices.Equal(s.Names(), next.Names()) {
		t.Error("Names does not tell the state")
	}

	// All that is needed to make a copy somewhere else.
	copied := place{&memory{files: map[string][]byte{}}, p.signers, p.trusted}
	copied.put(t, next.IndexFiles(true))
	copied.put(t, next.FixedFiles(true))
	roots, err := next.Sign(t.Context(), p.signers)
	if err != nil {
		t.Fatal(err)
	}
	copied.put(t, roots)
	if entries, err := copied.load(t).Entries(t.Context()); err != nil || len(entries) != 4 {
		t.Errorf("the copy has %d entries, %v", len(entries), err)
	}
	for _, name := range next.Names() {
		if copied.files[name] == nil {
			t.Errorf("%s was not written", name)
		}
	}
	if err := p.trusted.Verify(copied.files["dists/stable/Release"], copied.files["dists/stable/Release.gpg"], clock); err != nil {
		t.Error(err)
	}
	if _, err := NewSuite("kinectl", "stable").Sign(t.Context(), p.signers); err == nil {
		t.Error("a suite that has no root was signed")
	}
}

// TestLoadRefuses changes what is there.
func TestLoadRefuses(t *testing.T) {
	f := func(what string, want error, change func(p *place)) {
		t.Helper()
		p, _ := published(t)
		change(&p)
		s, err := Load(t.Context(), p, "stable", p.trusted, clock)
		if err == nil {
			_, err = s.Entries(t.Context())
		}
		if err == nil {
			_, err = s.Apply(t.Context(), Change{Add: []Package{pkg("hello", "3.0", "all", "4")}, Now: clock})
		}
		if want == nil && err != nil || !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
	}
	flip := func(part string) func(p *place) {
		return func(p *place) {
			for name, body := range p.files {
				if strings.Contains(name, part) && len(body) > 0 {
					body = bytes.Clone(body)
					body[len(body)/2] ^= 1
					p.files[name] = body
				}
			}
		}
	}
	f("nothing", nil, func(*place) {})
	f("no suite", fs.ErrNotExist, func(p *place) { clear(p.files) })
	f("another key", signing.ErrSignature, func(p *place) { p.trusted = newPlace(t).trusted })
	f("InRelease, a byte", signing.ErrSignature, flip("InRelease"))
	f("an index, a byte", ErrDamaged, flip("binary-amd64/by-hash"))
	f("Contents, a byte", ErrDamaged, flip("main/by-hash"))
	f("fixed names do not count", nil, flip("Packages"))
	f("an index is missing", ErrDamaged, func(p *place) {
		maps.DeleteFunc(p.files, func(name string, _ []byte) bool { return strings.Contains(name, "by-hash") })
	})
	f("an index is shorter", ErrDamaged, func(p *place) {
		for name, body := range p.files {
			p.files[name] = body[:max(0, len(body)-len(body)*strings.Count(name, "by-hash")/2)]
		}
	})
	f("an index is longer", ErrDamaged, func(p *place) {
		for name, body := range p.files {
			p.files[name] = append(bytes.Clone(body), make([]byte, strings.Count(name, "by-hash"))...)
		}
	})
	sign := func(release string) func(p *place) {
		return func(p *place) {
			body, err := p.signers.ClearSign(t.Context(), []byte(release), clock)
			if err != nil {
				t.Fatal(err)
			}
			p.files["dists/stable/InRelease"] = body
		}
	}
	f("the root of another suite", ErrDamaged, sign("Origin: kinectl\nSuite: testing\nArchitectures: amd64\n"))
	f("a root without indexes", ErrDamaged, sign("Origin: kinectl\nSuite: stable\nArchitectures: amd64\n"))
	f("a path as architecture", ErrDamaged, sign("Origin: kinectl\nSuite: stable\nArchitectures: ../amd64\n"))
	f("no digest", ErrDamaged, sign("Origin: kinectl\nSuite: stable\nArchitectures: amd64\nSHA256:\n 00 10 main/binary-amd64/Packages\n"))
	f("a huge index", ErrDamaged, sign(fmt.Sprintf("Origin: kinectl\nSuite: stable\nArchitectures: amd64\nSHA256:\n %064d 999999999999 main/binary-amd64/Packages\n", 0)))
	if _, err := Load(t.Context(), newPlace(t), "../stable", signing.Keyring{}, clock); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a path as suite: %v", err)
	}
}

// TestOlderRepository: Packages plain and as one gzip member, ordered by
// version, without the empty line at the end, and no Contents.
func TestOlderRepository(t *testing.T) {
	p := newPlace(t)
	text := ""
	for _, v := range []string{"1.9", "1.10"} {
		s := pkg("hello", v, "all", "1")
		s.Entry.Published = time.Time{}
		text += string(s.stanza())
	}
	text = strings.TrimSuffix(text, "\n")
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	old := NewSuite("kinectl", "stable")
	old.release.Date, old.now = clock, clock
	for _, arch := range old.release.Architectures {
		for suffix, body := range map[string][]byte{"": []byte(text), ".gz": packed.Bytes()} {
			body := index.Body{body}
			f := File{"main/binary-" + arch + "/Packages" + suffix, body.Size(), body.SHA256()}
			old.release.Files = append(old.release.Files, f)
			old.fresh = append(old.fresh, freshFile{f, body})
		}
	}
	old.release = old.release.with(nil)
	old.text = bytes.Replace(old.release.render(), []byte("No-Support-for-Architecture-all: Packages\n"), nil, 1)
	p.publish(t, old)

	s := p.load(t)
	entries, err := s.Entries(t.Context())
	if err != nil || len(entries) != 2 || entries[1].Version != "1.10" || !entries[1].Published.IsZero() {
		t.Fatalf("%+v, %v", entries, err)
	}
	if _, err := s.Apply(t.Context(), Change{Add: []Package{pkg("new", "1.0", "amd64", "2")}, Now: clock}); err == nil {
		t.Error("Contents was made without knowing the files")
	}
	s = apply(t, s, Change{Add: []Package{pkg("new", "1.0", "amd64", "2")}})
	p.publish(t, s)
	s = p.load(t)
	if entries, err := s.Entries(t.Context()); err != nil || len(entries) != 3 {
		t.Fatalf("%+v, %v", entries, err)
	}
	if _, found := s.release.File("main/binary-amd64/Packages.zst"); !found {
		t.Error("there is no zst form")
	}
	if got := plain(t, s.contents["amd64"]); !strings.Contains(got, "usr/share/doc/hello/1.10   misc/hello\n") || !strings.Contains(got, "usr/bin/new   misc/new\n") {
		t.Errorf("Contents is\n%s", got)
	}
}

func TestDates(t *testing.T) {
	day, none := 24*time.Hour, time.Duration(0)
	s := NewSuite("kinectl", "stable")
	f := func(now time.Time, validFor *time.Duration, date time.Time, valid time.Duration) {
		t.Helper()
		s = apply(t, s, Change{Now: now, ValidFor: validFor})
		r, err := parseRelease(string(s.text))
		if err != nil || !r.Date.Equal(date) || valid == 0 != r.ValidUntil.IsZero() || valid > 0 && r.ValidUntil.Sub(r.Date) != valid {
			t.Errorf("Date %s, Valid-Until %s, %v; want %s and %s more", r.Date, r.ValidUntil, err, date, valid)
		}
	}
	f(clock, nil, clock, 0)
	f(clock.Add(time.Hour), &day, clock.Add(time.Hour), day)
	f(clock.Add(-time.Hour), nil, clock.Add(time.Hour), day) // the clock was set back
	f(clock.Add(3*time.Hour), nil, clock.Add(3*time.Hour), day)
	f(clock.Add(4*time.Hour), &none, clock.Add(4*time.Hour), 0)
	f(clock.Add(5*time.Hour), nil, clock.Add(5*time.Hour), 0)
}
