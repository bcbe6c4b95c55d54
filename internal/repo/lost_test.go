package repo

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kinectl/kinectl/internal/repo/apt"
	"github.com/kinectl/kinectl/internal/repo/storage"
)

// TestLost takes the root of a suite away: what it named must not look like
// leftovers, and nothing may make the suite anew without its packages.
func TestLost(t *testing.T) {
	dir, o := testRepo(t)
	testInit(t, dir, o.in("testing"))
	testPublish(t, dir, o, debFile(t, "hello", "1.0", "amd64", ""))
	whole := filepath.Join(t.TempDir(), "dists-stable")
	if err := os.Rename(filepath.Join(dir, "dists/stable"), whole); err != nil {
		t.Fatal(err)
	}
	if _, err := Prune(t.Context(), dir, PruneOptions{Options: Options{KeyDir: o.KeyDir}, Retention: Retention{Newest: 1}}); !errors.Is(err, ErrDamaged) {
		t.Errorf("prune without all of dists/stable: %v", err)
	}
	if err := os.Rename(whole, filepath.Join(dir, "dists/stable")); err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(dir, "dists/stable/InRelease")
	body, err := os.ReadFile(root)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(root); err != nil {
		t.Fatal(err)
	}
	before := snapshot(t, dir)
	refuses := func(verb string, err error) {
		t.Helper()
		if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "dists/stable/InRelease is gone") {
			t.Errorf("%s: %v", verb, err)
		}
	}
	_, err = Prune(t.Context(), dir, PruneOptions{Options: Options{KeyDir: o.KeyDir}, Retention: Retention{Newest: 1}})
	refuses("prune", err)
	_, err = Resign(t.Context(), dir, ResignOptions{Options: Options{KeyDir: o.KeyDir}})
	refuses("resign", err)
	_, err = Init(t.Context(), dir, InitOptions{Options: o})
	refuses("init", err)
	if after := snapshot(t, dir); !slices.Equal(before, after) {
		t.Error("the files are others now")
	}
	testPublish(t, dir, o.in("testing"), both(t, "worker", "1.0")...)
	replace(t, root, body)
	testVerify(t, dir, clock)
}

// TestRebuilt makes a repository anew from the packages of another, as the page
// on damaged ones says.
func TestRebuilt(t *testing.T) {
	dir, o := testRepo(t)
	testPublish(t, dir, o, append(both(t, "hello", "1.0", "1.1"), rpmFile(t, "docs", "1", "all", ""))...)
	before, err := Open(t.Context(), dir, WithClock(o.Now))
	if err != nil {
		t.Fatal(err)
	}
	defer before.Close()
	anew := filepath.Join(t.TempDir(), "anew")
	testInit(t, anew, o)
	testPublish(t, anew, o, dir)
	testVerify(t, anew, clock)
	after, err := Open(t.Context(), anew, WithClock(o.Now))
	if err != nil {
		t.Fatal(err)
	}
	defer after.Close()
	was, err := before.Entries(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	is, err := after.Entries(t.Context())
	if err != nil || len(was) == 0 || len(is) != len(was) {
		t.Errorf("%d packages of %d: %v", len(is), len(was), err)
	}
}

// TestWaiting holds the lock for longer than a publisher is patient.
func TestWaiting(t *testing.T) {
	dir, o := testRepo(t)
	s, err := open(t.Context(), dir, o.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	told, done, files := make(chan bool, 1), make(chan error, 1), both(t, "hello", "1.0")
	err = s.locked(t.Context(), func(ctx context.Context) error {
		other := o
		other.Waiting = func() { told <- true }
		go func() {
			_, err := Publish(context.WithoutCancel(ctx), dir, files, other)
			done <- err
		}()
		select {
		case <-told:
		case <-time.After(time.Minute):
			t.Error("a publisher waits and says nothing")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestSignerFails publishes with a key that stops to sign between the package's
// signature and the root's.
func TestSignerFails(t *testing.T) {
	dir, o := testRepo(t)
	testPublish(t, dir, o, both(t, "hello", "1.0")...)
	root := filepath.Join(dir, "dists/stable/InRelease")
	before, err := os.ReadFile(root)
	if err != nil {
		t.Fatal(err)
	}
	s, err := open(t.Context(), dir, o.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	broken := errors.New("the card was taken out")
	err = s.locked(t.Context(), func(ctx context.Context) error {
		st, err := s.load(ctx, "stable")
		if err != nil {
			return err
		}
		p, err := s.next(ctx, st, change{apt: &apt.Change{Now: s.now}})
		if err != nil {
			return err
		}
		p.sign = append(p.sign, func(context.Context) (_, _ []storage.File, err error) { return nil, nil, broken })
		return s.commit(ctx, p)
	})
	if !errors.Is(err, broken) {
		t.Errorf("commit: %v", err)
	}
	if after, err := os.ReadFile(root); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the root is another one now: %v", err)
	}
	testPublish(t, dir, o, both(t, "hello", "1.1")...)
	testVerify(t, dir, clock)
}

// TestVerifyWhilePublishing publishes while a repository is read: what is new
// by then is no leftover.
func TestVerifyWhilePublishing(t *testing.T) {
	dir, o := testRepo(t)
	testPublish(t, dir, o, both(t, "hello", "1.0")...)
	more := append(both(t, "hello", "1.1"), rpmFile(t, "docs", "1", "all", ""))
	v, err := Verify(t.Context(), dir, VerifyOptions{Now: o.Now, Progress: func(done, _ int) {
		if done == 1 {
			testPublish(t, dir, o, more...)
		}
	}})
	if err != nil || len(v.Problems) != 0 || len(v.Unnamed) != 0 {
		t.Errorf("%+v, %v", v, err)
	}
}
