package repo

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kinectl/kinectl/internal/repo/storage"
)

func TestPublish(t *testing.T) {
	dir, o := testRepo(t)
	one, two := debFile(t, "hello", "1.9.0", "amd64", "one"), debFile(t, "hello", "1.10.0", "amd64", "two")
	docs, rpm := debFile(t, "libdocs", "1:3-1", "all", "docs"), rpmFile(t, "hello", "1.10.0", "amd64", "two")
	noarch := rpmFile(t, "docs", "3", "all", "docs")

	for _, p := range testPublish(t, dir, o, two, docs, rpm, noarch) {
		if !p.New {
			t.Errorf("not new: %+v", p)
		}
	}
	if published := testPublish(t, dir, o, one, docs, rpm); !published[0].New || published[1].New || published[2].New {
		t.Errorf("published again: %+v", published)
	}
	want := "deb hello 1.9.0 amd64\ndeb hello 1.10.0 amd64\ndeb libdocs 1:3-1 all\nrpm docs 3-1 noarch\nrpm hello 1.10.0-1 x86_64"
	if got := versions(t, dir, "stable"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	r := testOpen(t, dir)
	if e, err := r.Find(t.Context(), "libdocs", "1:3-1", "arm64"); err != nil || e.Filename != "pool/main/libd/libdocs/libdocs_3-1_all.deb" {
		t.Errorf("a package for all architectures: %+v, %v", e, err)
	}
	d, err := r.Package(t.Context(), "hello", "1.9.0", "amd64")
	if err != nil {
		t.Fatal(err)
	}
	if spec, err := d.File("/usr/share/kinectl/hello/spec.yml"); err != nil || string(spec) != "one" {
		t.Errorf("spec.yml: %q, %v", spec, err)
	}
	_, err = r.Package(t.Context(), "hello", "2.0.0", "amd64")
	if !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "1.10.0 (amd64), 1.9.0 (amd64)") {
		t.Errorf("a version that is not there: %v", err)
	}
	if _, err = r.Package(t.Context(), "hello", "1.9.0", "riscv64"); !errors.Is(err, ErrNotFound) {
		t.Errorf("an architecture that is not there: %v", err)
	}
	for _, arch := range []string{"x86_64", "aarch64"} { // noarch is for both
		if found, _ := filepath.Glob(filepath.Join(dir, "yum/stable", arch, "Packages/*/d/docs/docs-3-1.noarch.rpm")); len(found) != 1 {
			t.Errorf("%s: %v", arch, found)
		}
	}
	if v := testVerify(t, dir, clock); v.Packages != 6 { // noarch twice
		t.Errorf("verified %+v", v)
	}
}

// TestPublishNothingNew: the same again leaves every byte and time alone.
func TestPublishNothingNew(t *testing.T) {
	dir, o := testRepo(t)
	file, rpm := debFile(t, "hello", "1.0", "amd64", "one"), rpmFile(t, "hello", "1.0", "amd64", "one")
	testPublish(t, dir, o, file, rpm)
	before := snapshot(t, dir)
	later := o.at(clock.Add(time.Minute))
	testPublish(t, dir, later, file, rpm)
	testInit(t, dir, later)
	if after := snapshot(t, dir); !slices.Equal(before, after) {
		t.Errorf("before:\n%s\nafter:\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
	}
}

// snapshot lists every file with its time and digest.
func snapshot(t *testing.T, dir string) []string {
	t.Helper()
	var lines []string
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		body, err := os.ReadFile(name)
		lines = append(lines, name+" "+info.ModTime().Format(time.RFC3339Nano)+" "+digestOf(body))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func TestPublishRefuses(t *testing.T) {
	dir, o := testRepo(t)
	good, goodRPM := debFile(t, "hello", "1.0", "amd64", "one"), rpmFile(t, "hello", "1.0", "amd64", "one")
	testPublish(t, dir, o, good, goodRPM)
	testInit(t, dir, o.in("testing"))
	changed, changedRPM := debFile(t, "hello", "1.0", "amd64", "other"), rpmFile(t, "hello", "1.0", "amd64", "other")
	damage := func(file string, fromEnd int) string {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		body[len(body)-fromEnd] ^= 1
		damaged := filepath.Join(t.TempDir(), "damaged"+filepath.Ext(file))
		if err := os.WriteFile(damaged, body, 0o644); err != nil {
			t.Fatal(err)
		}
		return damaged
	}
	damaged, damagedRPM := damage(good, 20), damage(goodRPM, 20)
	text := textFile(t, "not a package")
	before := snapshot(t, dir)
	f := func(suite string, files []string, wants ...string) {
		t.Helper()
		_, err := Publish(t.Context(), dir, files, o.in(suite))
		if !errors.Is(err, ErrRefused) {
			t.Fatalf("got %v, want ErrRefused", err)
		}
		for _, want := range wants {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q in it", err, want)
			}
		}
		if after := snapshot(t, dir); !slices.Equal(before, after) {
			t.Errorf("the repository has changed:\n%s", strings.Join(after, "\n"))
		}
	}
	f("stable", []string{changed}, "hello 1.0 amd64 is there with other content")
	f("testing", []string{changed}, "suite stable: hello 1.0 amd64 is there with other content")
	f("stable", []string{changedRPM}, "hello 1.0-1 x86_64 is there with other content")
	f("testing", []string{changedRPM}, "suite stable: hello 1.0-1 x86_64 is there with other content")
	f("stable", []string{debFile(t, "new", "1.0", "amd64", ""), damaged, damagedRPM, "none.deb", text},
		"damaged.deb: data.tar.gz: ", "damaged.rpm: ", "none.deb: no such file", "neither a Debian nor an rpm package")
	f("stable", []string{debFile(t, "new", "1.0", "amd64", ""), changed}, "hello 1.0 amd64 is there")
	f("stable", []string{t.TempDir()}, "no package in this directory")

	for _, p := range testPublish(t, dir, o.in("testing"), good, goodRPM) {
		if !p.New {
			t.Error("the same bytes in another suite are not new there")
		}
	}
	testVerify(t, dir, clock)
}

func TestPublishDirectory(t *testing.T) {
	dir, o := testRepo(t)
	packages := t.TempDir()
	for i, file := range []string{debFile(t, "one", "1", "amd64", ""), rpmFile(t, "two", "2", "arm64", "")} {
		if err := os.Rename(file, filepath.Join(packages, string(rune('a'+i))+filepath.Ext(file))); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(packages, "notes.txt"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	testPublish(t, dir, o, packages)
	if got, want := versions(t, dir, "stable"), "deb one 1 amd64\nrpm two 2-1 aarch64"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestPublishWithoutRepository(t *testing.T) {
	dir, o := testRepo(t)
	file := debFile(t, "hello", "1.0", "amd64", "one")
	if _, err := Publish(t.Context(), dir, []string{file}, o.in("stabel")); !errors.Is(err, ErrNotRepository) {
		t.Errorf("a suite that is not there: %v", err)
	}
	if _, err := Publish(t.Context(), dir, []string{file}, o.in("../stable")); !errors.Is(err, ErrUsage) {
		t.Errorf("a suite that leaves its place: %v", err)
	}
	if _, err := Publish(t.Context(), "http://localhost/x", []string{file}, o); !errors.Is(err, ErrUsage) || !errors.Is(err, storage.ErrReadOnly) {
		t.Errorf("a web server: %v", err)
	}
	empty := t.TempDir()
	if _, err := Publish(t.Context(), empty, []string{file}, o); !errors.Is(err, ErrNotRepository) {
		t.Errorf("an empty directory: %v", err)
	}
	if left, _ := os.ReadDir(empty); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Publish(ctx, dir, []string{file}, o); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

func TestInitRefuses(t *testing.T) {
	dir, o := testRepo(t)
	f := func(dir string, o InitOptions, want string) {
		t.Helper()
		if _, err := Init(t.Context(), dir, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, "notes.txt"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	inside := o
	inside.Keys = []string{filepath.Join(dir, "private", "key.asc")}
	f(home, InitOptions{Options: o}, "notes.txt")
	f(dir, InitOptions{Options: o, Origin: "other"}, `under the origin "kinectl"`)
	f(dir, InitOptions{Options: inside}, "inside the repository")
	f(filepath.Join(home, "x"), InitOptions{Options: o, Origin: "a, b"}, "origin")
	f(filepath.Join(home, "x"), InitOptions{Options: o.in("Stable")}, "suite")
	f(filepath.Join(home, "x"), InitOptions{Options: o, KeyType: "dsa"}, "dsa")
	f(filepath.Join(home, "x"), InitOptions{Options: o, ValidFor: -1}, "cannot be valid")
}

// TestSuperseded: a reader of the roots of a moment ago finds all that they
// name; what was superseded long ago is gone in the end.
func TestSuperseded(t *testing.T) {
	dir, o := testRepo(t)
	now := clock
	testPublish(t, dir, o, debFile(t, "hello", "1.0", "amd64", ""), rpmFile(t, "hello", "1.0", "amd64", ""))
	names := func() []string {
		t.Helper()
		s, err := open(t.Context(), dir, o.at(now))
		if err != nil {
			t.Fatal(err)
		}
		defer s.close()
		st, err := s.load(t.Context(), "stable")
		if err != nil {
			t.Fatal(err)
		}
		all := st.apt.Names()
		for _, repository := range st.yum {
			all = append(all, repository.Names()...)
		}
		return all
	}
	there := func(names []string) (count int) {
		for _, name := range names {
			if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
				count++
			}
		}
		return count
	}
	old := names()
	for i := range 5 {
		now = now.Add(time.Minute)
		version := "2." + string(rune('0'+i))
		testPublish(t, dir, o.at(now), debFile(t, "hello", version, "amd64", ""), rpmFile(t, "hello", version, "amd64", ""))
		if got := there(old); got != len(old) {
			t.Fatalf("%d of %d files are there after %d publications", got, len(old), i+1)
		}
	}
	now = now.Add(keepIndexes + time.Minute)
	testPublish(t, dir, o.at(now), debFile(t, "hello", "3.0", "amd64", ""), rpmFile(t, "hello", "3.0", "amd64", ""))
	current := names()
	gone := slices.DeleteFunc(old, func(name string) bool { return slices.Contains(current, name) })
	if got := there(gone); got != 0 || len(gone) < 8 {
		t.Errorf("%d of %d old files are still there", got, len(gone))
	}
	testVerify(t, dir, now)
}

// TestRootTimes: a root never looks unchanged to If-Modified-Since, nor older
// than the last, also when the clock stands or goes back.
func TestRootTimes(t *testing.T) {
	dir, o := testRepo(t)
	last := time.Time{}
	date := testOpen(t, dir).Date()
	for i, now := range []time.Time{clock, clock, clock.Add(time.Hour), clock.Add(30 * time.Minute)} {
		testPublish(t, dir, o.at(now), debFile(t, "hello", "1."+string(rune('0'+i)), "amd64", ""))
		info, err := os.Stat(filepath.Join(dir, "dists/stable/InRelease"))
		if err != nil {
			t.Fatal(err)
		}
		if second := info.ModTime().Truncate(time.Second); !second.After(last) {
			t.Errorf("publication %d: modified at %s, the one before at %s", i, second, last)
		} else {
			last = second
		}
		r, err := Open(t.Context(), dir, WithClock(func() time.Time { return clock.Add(time.Hour) }))
		if err != nil {
			t.Fatal(err)
		}
		if r.Date().Before(date) {
			t.Errorf("publication %d: dated %s after %s", i, r.Date(), date)
		}
		date = r.Date()
	}
}

// TestSigned: an rpm gets the repository's signature, and the same package
// under another one is the same.
func TestSigned(t *testing.T) {
	dir, o := testRepo(t)
	file := rpmFile(t, "hello", "1.0", "amd64", "one")
	published := testPublish(t, dir, o, file)
	plain, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := os.ReadFile(filepath.Join(dir, published[0].Filename))
	if err != nil || bytes.Equal(plain, signed) {
		t.Fatalf("not signed: %v", err)
	}
	other, otherOptions := testRepo(t)
	if err := os.WriteFile(file, signed, 0o644); err != nil {
		t.Fatal(err)
	}
	if p := testPublish(t, dir, o, file); p[0].New {
		t.Error("our own signed package is not the same")
	}
	elsewhere := testPublish(t, other, otherOptions, file) // under another key
	body, err := os.ReadFile(filepath.Join(other, elsewhere[0].Filename))
	if err != nil || bytes.Equal(body, signed) {
		t.Fatalf("the signature of another repository was kept: %v", err)
	}
	if err := os.WriteFile(file, body, 0o644); err != nil {
		t.Fatal(err)
	}
	if p := testPublish(t, dir, o, file); p[0].New || p[0].SHA256 != published[0].SHA256 {
		t.Errorf("the package under another signature is another: %+v", p)
	}
}
