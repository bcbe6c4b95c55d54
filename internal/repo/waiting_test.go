package repo

import (
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/kinectl/kinectl/internal/repo/signing"
)

// TestWaitingThroughRotation: a publisher that waits for the lock while the
// keys change signs with the keys of afterwards.
func TestWaitingThroughRotation(t *testing.T) {
	f := func(rotation func(old string) RotateOptions, prepare bool) {
		t.Helper()
		dir, o := testRepo(t)
		testPublish(t, dir, o, both(t, "hello", "1.0")...)
		old := testOpen(t, dir).Fingerprints()[0]
		if prepare {
			if _, err := Rotate(t.Context(), dir, RotateOptions{Options: o, KeyType: signing.Ed25519}); err != nil {
				t.Fatal(err)
			}
		}
		release := holdLock(t, dir)
		var waiting sync.WaitGroup
		waiting.Go(func() { // the lock is given to those who wait in their order
			r := rotation(old)
			r.Options, r.KeyType = o, signing.Ed25519
			if _, err := Rotate(t.Context(), dir, r); err != nil {
				t.Error(err)
			}
		})
		awaitLockers(t, dir, 1)
		files := both(t, "hello", "1.1")
		waiting.Go(func() {
			if _, err := Publish(t.Context(), dir, files, o); err != nil {
				t.Error(err)
			}
		})
		awaitLockers(t, dir, 2)
		release()
		waiting.Wait()
		if v := testVerify(t, dir, clock); v.Packages != 4 {
			t.Errorf("verified %d packages", v.Packages)
		}
		r := testOpen(t, dir)
		signed, err := os.ReadFile(filepath.Join(dir, "dists/stable/InRelease"))
		if err != nil {
			t.Fatal(err)
		}
		for _, fingerprint := range r.Fingerprints() { // each of them alone is enough
			alone := r.trusted
			for _, other := range r.Fingerprints() {
				if other != fingerprint {
					alone = alone.Without(other)
				}
			}
			if _, err := alone.Open(signed, clock); err != nil {
				t.Errorf("with the key %s alone: %v", fingerprint, err)
			}
		}
		testPublish(t, dir, o, both(t, "hello", "1.2")...)
	}
	f(func(string) RotateOptions { return RotateOptions{} }, false)
	f(func(old string) RotateOptions { return RotateOptions{Drop: old} }, true)
}

// holdLock locks the repository as another process would.
func holdLock(t *testing.T, dir string) (release func()) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(dir, ".lock"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	return func() { f.Close() }
}

// awaitLockers returns when so many others have the lock's file open: they are
// about to wait, or do.
func awaitLockers(t *testing.T, dir string, count int) {
	t.Helper()
	lock, err := filepath.EvalSymlinks(filepath.Join(dir, ".lock"))
	if err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		var open []string
		fds, err := filepath.Glob("/proc/self/fd/*")
		if err != nil || len(fds) == 0 {
			t.Skip("no /proc: nobody can be seen waiting")
		}
		for _, fd := range fds {
			if target, err := os.Readlink(fd); err == nil && target == lock {
				open = append(open, fd)
			}
		}
		if len(slices.Compact(open)) > count { // and the test's own
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("nobody waits for the lock")
}
