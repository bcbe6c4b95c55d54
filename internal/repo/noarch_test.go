package repo

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestRemovedAndBack: a package that comes back before its files have gone
// keeps them, for every architecture.
func TestRemovedAndBack(t *testing.T) {
	dir, o := testRepo(t)
	files := []string{rpmFile(t, "docs", "1", "all", ""), debFile(t, "docs", "1", "all", "")}
	testPublish(t, dir, o, files...)
	if _, err := Remove(t.Context(), dir, []string{"docs=1"}, o); err != nil {
		t.Fatal(err)
	}
	testPublish(t, dir, o.at(clock.Add(time.Hour)), files...)
	later := o.at(clock.Add(keepPackages + 2*time.Hour))
	testPublish(t, dir, later, both(t, "other", "1")...)
	if v := testVerify(t, dir, later.Now()); v.Packages != 5 { // a deb and an rpm twice, and the other two
		t.Errorf("verified %d packages", v.Packages)
	}
}

// TestNewArchitecture: packages for every architecture are there for the hosts
// of a new one, also when both come at once.
func TestNewArchitecture(t *testing.T) {
	dir, o := testRepo(t)
	testPublish(t, dir, o, rpmFile(t, "old", "1", "all", ""))
	testPublish(t, dir, o, rpmFile(t, "before", "1", "all", ""), rpmFile(t, "tool", "1", "riscv64", ""), rpmFile(t, "after", "1", "all", ""))
	found, err := filepath.Glob(filepath.Join(dir, "yum/stable/riscv64/Packages/*/*/*/*.rpm"))
	if err != nil || len(found) != 4 {
		t.Errorf("riscv64 has %v, %v", found, err)
	}
	testVerify(t, dir, clock)
}

// TestTwice: the same file twice in one command is one package.
func TestTwice(t *testing.T) {
	dir, o := testRepo(t)
	files := append(both(t, "hello", "1"), rpmFile(t, "docs", "1", "all", ""))
	if published := testPublish(t, dir, o, append(files, files...)...); len(published) != len(files) {
		t.Errorf("published %+v", published)
	}
	testVerify(t, dir, clock)
}

// TestRepair: publishing again brings back a file that was lost or changed.
func TestRepair(t *testing.T) {
	dir, o := testRepo(t)
	files := both(t, "hello", "1")
	for i, p := range testPublish(t, dir, o, files...) {
		name := filepath.Join(dir, p.Filename)
		if i == 0 {
			if err := os.Remove(name); err != nil {
				t.Fatal(err)
			}
			continue
		}
		replace(t, name, []byte("changed"))
	}
	if v, err := Verify(t.Context(), dir, VerifyOptions{Now: o.Now}); err != nil || len(v.Problems) != 2 {
		t.Errorf("verified %+v, %v", v, err)
	}
	testPublish(t, dir, o, files...)
	testVerify(t, dir, clock)
}

// TestRemovedElsewhere: other content under the version of an rpm that was
// just removed from another suite is refused.
func TestRemovedElsewhere(t *testing.T) {
	dir, o := testRepo(t)
	testInit(t, dir, o.in("testing"))
	testPublish(t, dir, o.in("testing"), both(t, "hello", "1")...)
	if _, err := Remove(t.Context(), dir, []string{"hello=1"}, o.in("testing")); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{debFile(t, "hello", "1", "amd64", "other"), rpmFile(t, "hello", "1", "amd64", "other")} {
		if _, err := Publish(t.Context(), dir, []string{file}, o); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "has just been removed") {
			t.Errorf("%s: %v", filepath.Ext(file), err)
		}
	}
	testPublish(t, dir, o, both(t, "hello", "1")...)
	testVerify(t, dir, clock)
}

// TestPublicFiles: what web servers read is open to them, whatever the umask.
func TestPublicFiles(t *testing.T) {
	dir, o := testRepo(t)
	out, err := startPublisher(dir+"2", o, "publish", 0, both(t, "hello", "1")...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	err = filepath.Walk(dir+"2", func(name string, info os.FileInfo, err error) error {
		want := os.FileMode(0o644)
		if err == nil && info.IsDir() {
			want = 0o755
		}
		if err == nil && info.Mode().Perm() != want && !strings.HasPrefix(info.Name(), ".") {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
