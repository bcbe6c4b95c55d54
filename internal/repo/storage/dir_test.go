package storage

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// writeUntilKilled is the main function of a process that writes into a
// directory and kills itself at a step.
func writeUntilKilled() int {
	kill, _ := strconv.Atoi(os.Getenv(writeKill))
	steps := 0
	s := Dir(os.Getenv(writeDir), func(what string) {
		if steps++; steps == kill {
			fmt.Print(what)
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	})
	ctx, unlock, err := s.Lock(context.Background())
	if err == nil {
		defer unlock()
		err = s.Put(ctx, []File{text("pool/new/x", "new"), text("a", "new"), {Name: "linked", LinkOf: "a"}, {Name: "again", LinkOf: "linked"}})
	}
	if err == nil {
		err = s.PutRoots(ctx, []File{text("Release", "new"), text("InRelease", "new")})
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// TestKilledWriter kills a writer at each of its steps.
func TestKilledWriter(t *testing.T) {
	kill := 1
	for ; ; kill++ {
		dir := t.TempDir()
		s := Dir(dir, nil)
		all := []string{"a", "linked", "again", "Release", "InRelease"}
		for _, name := range all {
			put(t, s, text(name, "old"))
		}
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0", writeDir+"="+dir, writeKill+"="+strconv.Itoa(kill))
		out, err := cmd.Output()
		if err == nil {
			break // it had fewer steps than that
		}
		if !err.(*exec.ExitError).Sys().(syscall.WaitStatus).Signaled() {
			t.Fatalf("the writer was not killed at step %d: %s", kill, out)
		}
		for _, name := range all {
			body, err := s.Get(t.Context(), name, 100)
			if err != nil || string(body) != "old" && string(body) != "new" {
				t.Errorf("killed at %q: %s has %q: %v", out, name, body, err)
			}
		}
		if body, _ := s.Get(t.Context(), "InRelease", 100); string(body) == "new" {
			has(t, s, "Release", "new") // in this order
		}
		ctx, unlock := locked(t, s)
		if err := s.Mend(ctx); err != nil {
			t.Error(err)
		}
		unlock()
		place{dir: dir}.clean(t)
	}
	if kill-1 != 12 {
		t.Errorf("%d steps, want two for each of 6 files", kill-1)
	}
}

// TestPutClearsItsDirectories: what a killed writer left goes with the next
// Put there, and nothing else does.
func TestPutClearsItsDirectories(t *testing.T) {
	dir := t.TempDir()
	s := Dir(dir, nil)
	put(t, s, text("a/x", "x"), text("b/x", "x"))
	for name, stays := range map[string]bool{"a/" + asidePrefix + "1": false, "b/" + asidePrefix + "2": true, "a/.mine": true} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		put(t, s, text("a/x", "y"))
		if _, err := os.Stat(filepath.Join(dir, name)); (err == nil) != stays {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLinksAreLinks(t *testing.T) {
	dir := t.TempDir()
	put(t, Dir(dir, nil), text("a", "x"), File{Name: "b/c", LinkOf: "a"})
	a, err := os.Stat(filepath.Join(dir, "a"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := os.Stat(filepath.Join(dir, "b/c"))
	if err != nil || !os.SameFile(a, c) || a.Mode().Perm() != 0o644 {
		t.Errorf("two files, or not to be read by all: %v, %v, %v", a.Mode(), c, err)
	}
}

// BenchmarkPut is what an addition to a repository writes: 8 small files, 3 of
// some megabytes, links, and then the roots; beside what the disk alone takes.
func BenchmarkPut(b *testing.B) {
	small, big := make([]byte, 2000), make([]byte, 4<<20)
	b.Run("store", func(b *testing.B) {
		s := Dir(b.TempDir(), nil)
		for i := 0; b.Loop(); i++ {
			var files []File
			for n := range 8 {
				files = append(files, Bytes(fmt.Sprintf("dists/%d/%d-%d", n%4, i, n), small))
			}
			for n := range 3 {
				name := fmt.Sprintf("dists/%d/big-%d-%d", n, i, n)
				files = append(files, Bytes(name, big), File{Name: fmt.Sprint("dists/fixed-", n), LinkOf: name})
			}
			if err := s.Put(b.Context(), files); err != nil {
				b.Fatal(err)
			}
			if err := s.PutRoots(b.Context(), []File{Bytes("dists/Release", small), Bytes("dists/InRelease", small)}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("disk", func(b *testing.B) { // one file as long as all of them, written and synced once
		dir := b.TempDir()
		for i := 0; b.Loop(); i++ {
			f, err := os.Create(filepath.Join(dir, strconv.Itoa(i)))
			if err != nil {
				b.Fatal(err)
			}
			for range 3 {
				if _, err := f.Write(big); err != nil {
					b.Fatal(err)
				}
			}
			if err := f.Sync(); err != nil {
				b.Fatal(err)
			}
			f.Close()
		}
	})
}
