package repo

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestOpenURL reads over HTTP what the directory has.
func TestOpenURL(t *testing.T) {
	dir, o := testRepo(t)
	testPublish(t, dir, o, debFile(t, "hello", "1:1.0+b1~rc2", "amd64", "one"), debFile(t, "docs", "1", "all", ""))
	public, err := os.ReadFile(filepath.Join(dir, keyName))
	if err != nil {
		t.Fatal(err)
	}
	url := serve(t, dir, nil)
	r := testOpen(t, url+"/", WithKey(public))
	if r.Origin() != "kinectl" || r.Suite() != "stable" || len(r.Entries()) != 2 || len(r.Architectures()) != 2 {
		t.Errorf("read %s %s %+v", r.Origin(), r.Suite(), r.Entries())
	}
	f := func(location string, want error, options ...OpenOption) {
		t.Helper()
		options = append(options, WithClock(func() time.Time { return clock }))
		if _, err := Open(t.Context(), location, options...); err == nil || want != nil && !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		} else if strings.Contains(err.Error(), "password") {
			t.Errorf("a password is in the error: %v", err)
		}
	}
	other, _ := NewKey("other", Ed25519, clock)
	foreign, _ := other.Public()
	f(url, nil)
	f(url, ErrSignature, WithKey(foreign))
	f(dir, ErrSignature, WithKey(foreign))
	f(url, nil, WithKey([]byte("no key")))
	f(url, ErrNotRepository, WithKey(public), WithSuite("testing"))
	f(url+"/dists", ErrNotRepository, WithKey(public))
	f("http://jo:password@127.0.0.1:1", nil, WithKey(public))
	f(t.TempDir(), ErrNotRepository)
}

// TestOpenFindsChanges changes one byte after the other place of the tree.
func TestOpenFindsChanges(t *testing.T) {
	dir, o := testRepo(t)
	testPublish(t, dir, o, debFile(t, "hello", "1.0", "amd64", "one"))
	r := testOpen(t, dir)
	listed, _ := r.suite.release.file("main/binary-amd64/Packages")
	index := suitePath("stable", byHashPath("main/binary-amd64/Packages", listed.sha256))
	deb := r.Entries()[0].Filename
	f := func(name string, change func([]byte) []byte, want error) {
		t.Helper()
		file := filepath.Join(dir, name)
		good, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		defer os.WriteFile(file, good, 0o644)
		if err := os.WriteFile(file, change(bytes.Clone(good)), 0o644); err != nil {
			t.Fatal(err)
		}
		r, err := Open(t.Context(), dir, WithClock(func() time.Time { return clock }))
		if err == nil {
			_, err = r.Package(t.Context(), "hello", "1.0", "amd64")
		}
		if !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", name, err, want)
		}
	}
	flip := func(b []byte) []byte { b[len(b)/3] ^= 1; return b }
	shorter := func(b []byte) []byte { return b[:len(b)-1] }
	longer := func(b []byte) []byte { return append(b, '\n') }
	f("dists/stable/InRelease", flip, ErrSignature)
	f("dists/stable/InRelease", func(b []byte) []byte { return nil }, ErrSignature)
	f(index, flip, ErrDamaged)
	f(index, shorter, ErrDamaged)
	f(index, longer, ErrDamaged)
	f(deb, flip, ErrDamaged)
	f(deb, shorter, ErrDamaged)
	f(deb, longer, ErrDamaged)
	testOpen(t, dir) // the changes were undone

	if err := os.Remove(filepath.Join(dir, deb)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Package(t.Context(), "hello", "1.0", "amd64"); !errors.Is(err, ErrDamaged) {
		t.Errorf("a package that is gone: %v", err)
	}
	if _, err := Init(t.Context(), dir, InitOptions{Options: withSuite(o, "testing")}); err != nil {
		t.Fatal(err)
	}
	testing, err := os.ReadFile(filepath.Join(dir, "dists/testing/InRelease"))
	if err != nil {
		t.Fatal(err)
	}
	f("dists/stable/InRelease", func([]byte) []byte { return testing }, ErrDamaged)
}
