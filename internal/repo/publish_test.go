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
)

func TestPublish(t *testing.T) {
	dir, o := testRepo(t)
	one, two := debFile(t, "hello", "1.9.0", "amd64", "one"), debFile(t, "hello", "1.10.0", "amd64", "two")
	docs := debFile(t, "libdocs", "1:3-1", "all", "docs")

	published := testPublish(t, dir, o, two, docs)
	if len(published) != 2 || !published[0].New || !published[1].New {
		t.Fatalf("published %+v", published)
	}
	if published = testPublish(t, dir, o, one, docs); !published[0].New || published[1].New {
		t.Errorf("published again: %+v", published)
	}

	r := testOpen(t, dir)
	if versions := r.Versions("hello"); len(versions) != 2 || versions[0].Version != "1.9.0" || versions[1].Version != "1.10.0" {
		t.Errorf("versions: %+v", versions)
	}
	if e, err := r.Find("libdocs", "1:3-1", "arm64"); err != nil || e.Filename != "pool/main/libd/libdocs/libdocs_3-1_all.deb" {
		t.Errorf("a package for all architectures: %+v, %v", e, err)
	}
	body, err := r.Package(t.Context(), "hello", "1.9.0", "amd64")
	if want, _ := os.ReadFile(one); err != nil || !bytes.Equal(body, want) {
		t.Errorf("the package has other bytes: %v", err)
	}
	d, err := ReadDeb(bytes.NewReader(body))
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
	_, err = r.Package(t.Context(), "hello", "1.9.0", "riscv64")
	if !errors.Is(err, ErrNotFound) {
		t.Errorf("an architecture that is not there: %v", err)
	}
}

// TestPublishNothingNew: the same again leaves every byte and time alone.
func TestPublishNothingNew(t *testing.T) {
	dir, o := testRepo(t)
	file := debFile(t, "hello", "1.0", "amd64", "one")
	testPublish(t, dir, o, file)
	before := snapshot(t, dir)
	o.Now = func() time.Time { return clock.Add(time.Hour) }
	testPublish(t, dir, o, file)
	if _, err := Init(t.Context(), dir, InitOptions{Options: o}); err != nil {
		t.Error(err)
	}
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
		sum, err := fileDigest(name)
		lines = append(lines, name+" "+info.ModTime().Format(time.RFC3339Nano)+" "+sum)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func TestPublishRefuses(t *testing.T) {
	dir, o := testRepo(t)
	good := debFile(t, "hello", "1.0", "amd64", "one")
	testPublish(t, dir, o, good)
	if _, err := Init(t.Context(), dir, InitOptions{Options: withSuite(o, "testing")}); err != nil {
		t.Fatal(err)
	}
	changed := debFile(t, "hello", "1.0", "amd64", "other")
	body, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	body[len(body)-20] ^= 1
	damaged := filepath.Join(t.TempDir(), "damaged.deb")
	if err := os.WriteFile(damaged, body, 0o644); err != nil {
		t.Fatal(err)
	}
	before := snapshot(t, dir)
	f := func(suite string, files []string, wants ...string) {
		t.Helper()
		_, err := Publish(t.Context(), dir, files, withSuite(o, suite))
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
	f("stable", []string{debFile(t, "new", "1.0", "amd64", ""), damaged, "none.deb", dir},
		"damaged.deb: data.tar.gz: ", "none.deb: no such file", dir+": not a regular file")
	f("stable", []string{debFile(t, "new", "1.0", "amd64", ""), changed}, "hello 1.0 amd64 is there")

	if published := testPublish(t, dir, withSuite(o, "testing"), good); !published[0].New {
		t.Error("the same bytes in another suite are not new there")
	}
	testOpen(t, dir, WithSuite("testing"))
}

func withSuite(o Options, suite string) Options {
	o.Suite = suite
	return o
}

func TestPublishWithoutRepository(t *testing.T) {
	dir, o := testRepo(t)
	file := debFile(t, "hello", "1.0", "amd64", "one")
	if _, err := Publish(t.Context(), dir, []string{file}, withSuite(o, "stabel")); !errors.Is(err, ErrNotRepository) {
		t.Errorf("a suite that is not there: %v", err)
	}
	if _, err := Publish(t.Context(), dir, []string{file}, withSuite(o, "../stable")); !errors.Is(err, ErrUsage) {
		t.Errorf("a suite that leaves its place: %v", err)
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
	inside.KeyFile = filepath.Join(dir, "private", "key.asc")
	f(home, InitOptions{Options: o}, "notes.txt")
	f(dir, InitOptions{Options: o, Origin: "other"}, `under the origin "kinectl"`)
	f(dir, InitOptions{Options: inside}, "inside the repository")
	f(filepath.Join(home, "x"), InitOptions{Options: o, Origin: "a, b"}, "origin")
	f(filepath.Join(home, "x"), InitOptions{Options: withSuite(o, "Stable")}, "suite")
	f(filepath.Join(home, "x"), InitOptions{Options: o, KeyType: "dsa"}, "key type")
}

// TestSupersededIndexes: a reader of the root of a moment ago finds its
// indexes; those of long ago are gone in the end.
func TestSupersededIndexes(t *testing.T) {
	dir, o := testRepo(t)
	now := clock
	o.Now = func() time.Time { return now }
	old, err := loadSuite(t.Context(), dirTree(dir), "stable", mustKeyring(t, dir), now)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 40 {
		now = now.Add(time.Second)
		testPublish(t, dir, o, debFile(t, "hello", "1."+string(rune('a'+i%26))+"."+strings.Repeat("1", i+1), "amd64", ""))
		if _, err := old.files(t.Context(), dirTree(dir)); err != nil {
			t.Fatalf("after %d publications: %v", i+1, err)
		}
	}
	now = now.Add(24 * time.Hour)
	testPublish(t, dir, o, debFile(t, "hello", "2.0", "amd64", ""))
	testPublish(t, dir, o, debFile(t, "hello", "2.1", "amd64", "")) // the one before was just superseded
	kept, err := os.ReadDir(filepath.Join(dir, "dists/stable/main/binary-amd64/by-hash/SHA256"))
	if err != nil || len(kept) > keepCount+4 {
		t.Errorf("%d index files are kept, %v", len(kept), err)
	}
}

func mustKeyring(t *testing.T, dir string) keyring {
	t.Helper()
	k, err := treeKeyring(t.Context(), dirTree(dir))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestRootTimes: a root never looks unchanged to If-Modified-Since, nor older
// than the last, also when the clock stands or goes back.
func TestRootTimes(t *testing.T) {
	dir, o := testRepo(t)
	last := time.Time{}
	date := testOpen(t, dir).Date()
	for i, now := range []time.Time{clock, clock, clock.Add(time.Hour), clock.Add(30 * time.Minute)} {
		o.Now = func() time.Time { return now }
		testPublish(t, dir, o, debFile(t, "hello", "1."+string(rune('0'+i)), "amd64", ""))
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
