package storage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

func locked(t *testing.T, s Store) (context.Context, func()) {
	t.Helper()
	ctx, unlock, err := s.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(unlock)
	return ctx, unlock
}

func put(t *testing.T, s Store, files ...File) {
	t.Helper()
	ctx, unlock := locked(t, s)
	defer unlock()
	if err := s.Put(ctx, files); err != nil {
		t.Fatal(err)
	}
}

func has(t *testing.T, r Reader, name, want string) {
	t.Helper()
	got, err := r.Get(t.Context(), name, 1<<30)
	if err != nil || string(got) != want {
		t.Errorf("%s has %.60q (%d bytes), want %.60q (%d bytes): %v", name, got, len(got), want, len(want), err)
	}
}

func hasNot(t *testing.T, r Reader, name string) {
	t.Helper()
	if _, err := r.Get(t.Context(), name, 1<<30); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is there: %v", name, err)
	}
}

// clean checks that nothing temporary is left.
func (p place) clean(t *testing.T) {
	t.Helper()
	_ = filepath.WalkDir(p.dir, func(at string, _ fs.DirEntry, err error) error {
		if strings.HasPrefix(filepath.Base(at), asidePrefix) {
			t.Errorf("%s is left", at)
		}
		return err
	})
}

func text(name, body string) File { return Bytes(name, []byte(body)) }

func names(t *testing.T, s Store, prefix string) []string {
	t.Helper()
	var all []string
	for info, err := range s.List(t.Context(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, info.Name)
	}
	slices.Sort(all)
	return all
}

func TestFiles(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		s := p.open(t)
		big := strings.Repeat("0123456789abcdef", 200_000)
		files := map[string]string{
			"key.asc":                              "a key",
			"pool/main/h/hello/hello_1.0~rc+1.deb": big,
			"pool/main/libh/x":                     "",
			"pool-of-others/x y":                   "blank",
			".expired":                             "hidden",
			"yum/stable/.hidden/x":                 "hidden too",
		}
		var all []File
		for name, body := range files {
			all = append(all, text(name, body))
		}
		put(t, s, all...)
		other := p.open(t)
		for name, body := range files {
			has(t, other, name, body)
			info, err := other.Stat(t.Context(), name)
			if err != nil || info.Size != int64(len(body)) || info.Name != name || time.Since(info.Modified).Abs() > time.Minute {
				t.Errorf("Stat: %+v, %v", info, err)
			}
		}
		f := func(prefix string, want ...string) {
			t.Helper()
			if got := names(t, other, prefix); !slices.Equal(got, want) {
				t.Errorf("List(%q) = %q, want %q", prefix, got, want)
			}
		}
		f("", "key.asc", "pool-of-others/x y", "pool/main/h/hello/hello_1.0~rc+1.deb", "pool/main/libh/x")
		f("pool/", "pool/main/h/hello/hello_1.0~rc+1.deb", "pool/main/libh/x")
		f("pool/main/l", "pool/main/libh/x")
		f("nothing/here/")
		for range other.List(t.Context(), "") {
			break // an early end leaves nothing behind
		}

		if _, err := other.Get(t.Context(), "key.asc", 4); !errors.Is(err, ErrTooLong) {
			t.Errorf("5 bytes where 4 are allowed: %v", err)
		}
		has5, err := other.Get(t.Context(), "key.asc", 5)
		if err != nil || len(has5) != 5 {
			t.Errorf("5 bytes where 5 are allowed: %q, %v", has5, err)
		}
		if _, err := other.Stat(t.Context(), "not/there"); !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
		if _, err := other.Open(t.Context(), "not/there"); !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
		in, err := other.Open(t.Context(), "pool/main/h/hello/hello_1.0~rc+1.deb")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(in)
		if err = errors.Join(err, in.Close()); err != nil || string(body) != big {
			t.Errorf("%d bytes, %v", len(body), err)
		}

		ctx, unlock := locked(t, s)
		if err := s.Remove(ctx, []string{"key.asc", "pool/main/libh/x", "not/there"}); err != nil {
			t.Fatal(err)
		}
		unlock()
		f("", "pool-of-others/x y", "pool/main/h/hello/hello_1.0~rc+1.deb")
		hasNot(t, other, "key.asc")
		p.clean(t)
	})
}

func TestLinks(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		s := p.open(t)
		link := func(name, source string) File { return File{Name: name, LinkOf: source} }
		files := []File{text("by-hash/1", "one"), link("Packages", "by-hash/1"), link("x/again", "Packages")}
		put(t, s, files...)
		has(t, s, "Packages", "one")
		has(t, s, "x/again", "one")
		put(t, s, files[1:]...) // they are what they should be
		put(t, s, text("by-hash/2", "two"))
		put(t, s, link("Packages", "by-hash/2"))
		has(t, s, "Packages", "two")
		has(t, s, "by-hash/1", "one")
		// A body written over a link is not written into what it links.
		put(t, s, text("Packages", "three"))
		has(t, s, "by-hash/2", "two")

		ctx, unlock := locked(t, s)
		if err := s.Put(ctx, []File{link("Packages", "not/there")}); err == nil {
			t.Error("a link to nothing was made")
		}
		unlock()
		has(t, s, "Packages", "three")
		p.clean(t)
	})
}

func TestNamesThatLeadElsewhere(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		s := p.open(t)
		ctx, _ := locked(t, s)
		for _, name := range []string{"", ".", "..", "../x", "a/../../x", "/etc/passwd", "a//b", "a\nb", "a'b", `a"b`, `a\b`, "a\x00b", "\xff", ".lock", ".lock/x"} {
			_, err := s.Get(ctx, name, 1)
			_, err2 := s.Open(ctx, name)
			_, err3 := s.Stat(ctx, name)
			for _, err := range []error{
				err, err2, err3, s.Put(ctx, []File{text(name, "x")}), s.PutRoots(ctx, []File{text(name, "x")}),
				s.Put(ctx, []File{{Name: "x", LinkOf: name}, text("y", "y")}), s.Remove(ctx, []string{name}),
			} {
				if !errors.Is(err, fs.ErrInvalid) {
					t.Errorf("%q: %v", name, err)
				}
			}
		}
		if err := s.Put(ctx, []File{text("x", "1"), text("x", "2")}); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("one name twice: %v", err)
		}
		hasNot(t, s, "y")
	})
}

// endless yields n bytes and then calls f for an error.
type endless struct {
	n int
	f func() error
}

func (e *endless) Read(p []byte) (int, error) {
	if e.n <= 0 {
		if err := e.f(); err != nil {
			return 0, err
		}
		return 0, io.EOF
	}
	n := min(len(p), e.n)
	e.n -= n
	return n, nil
}

func (e *endless) Close() error { return nil }

func TestInterruptedPut(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		s := p.open(t)
		put(t, s, text("a", "old"), text("b", "old"), text("root", "old"))
		broken := errors.New("the digest does not hold")
		const size = 3 << 20
		f := func(what string, n int, end func(cancel func()) error, want error) {
			t.Helper()
			locked, unlock := locked(t, s)
			defer unlock()
			ctx, cancel := context.WithCancel(locked)
			defer cancel()
			bad := File{Name: "b", Size: size, Open: func() (io.ReadCloser, error) {
				return &endless{n, func() error { return end(cancel) }}, nil
			}}
			for range 2 { // the store can go on after an error
				err := s.Put(ctx, []File{bad, {Name: "c", LinkOf: "b"}})
				if err == nil || want != nil && !errors.Is(err, want) {
					t.Errorf("%s: Put: %v", what, err)
				}
				root := bad
				root.Name = "root"
				if err := s.PutRoots(ctx, []File{root}); err == nil || want != nil && !errors.Is(err, want) {
					t.Errorf("%s: PutRoots: %v", what, err)
				}
			}
			has(t, s, "b", "old")
			has(t, s, "root", "old")
			hasNot(t, s, "c")
			p.clean(t)
			if locked.Err() == nil {
				if err := s.Put(locked, []File{text("a", what)}); err != nil {
					t.Errorf("%s: the next Put: %v", what, err)
				}
				has(t, s, "a", what)
			} else if want != context.Canceled {
				t.Errorf("%s: the lock is lost", what)
			}
		}
		f("an error at the end", size, func(func()) error { return broken }, broken)
		f("an error in the middle", size/2, func(func()) error { return broken }, broken)
		f("too short", size-1, func(func()) error { return nil }, nil)
		f("too long", size+1, func(func()) error { return nil }, nil)
		f("called off in the middle", size/2, func(cancel func()) error { cancel(); return nil }, context.Canceled)
	})
}

func TestRootsGetLaterSeconds(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		s := p.open(t)
		ctx, _ := locked(t, s)
		last := map[string]time.Time{}
		for round := range 3 {
			if err := s.PutRoots(ctx, []File{text("Release", fmt.Sprint("release ", round)), text("InRelease", fmt.Sprint("root ", round))}); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"Release", "InRelease"} {
				info, err := s.Stat(ctx, name)
				if err != nil {
					t.Fatal(err)
				}
				if second := info.Modified.Truncate(time.Second); !second.After(last[name]) {
					t.Errorf("%s in round %d has the second %v, after %v", name, round, second, last[name])
				} else {
					last[name] = second
				}
			}
			has(t, s, "InRelease", fmt.Sprint("root ", round))
		}
		p.clean(t)
	})
}

// TestReadersSeeWholeFiles replaces files while readers look at them. Each
// content is one byte over and over.
func TestReadersSeeWholeFiles(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		s := p.open(t)
		content := func(i int) []byte { return bytes.Repeat([]byte{byte('a' + i)}, 200_000+1000*i) }
		put(t, s, Bytes("file", content(0)), Bytes("linked", content(0)), Bytes("root", content(0)))
		stop := make(chan struct{})
		var readers sync.WaitGroup
		var reads, missing [3]int
		for i, name := range []string{"file", "linked", "root"} {
			r := p.open(t)
			readers.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					got, err := r.Get(t.Context(), name, 1<<20)
					switch {
					case errors.Is(err, fs.ErrNotExist) && !p.replacesWhole:
						missing[i]++
					case err != nil:
						t.Errorf("read %d of %s: %v", reads[i], name, err)
						return
					case len(got) == 0 || !bytes.Equal(got, content(int(got[0]-'a'))):
						t.Errorf("read %d of %s: a part of it, or two mixed", reads[i], name)
						return
					}
					reads[i]++
				}
			})
		}
		for i := 1; i < 20; i++ {
			body := Bytes(fmt.Sprint("by-hash/", i), content(i))
			put(t, s, body, Bytes("file", content(i)), File{Name: "linked", LinkOf: body.Name})
			if i%10 == 0 {
				ctx, unlock := locked(t, s)
				if err := s.PutRoots(ctx, []File{Bytes("root", content(i))}); err != nil {
					t.Error(err)
				}
				unlock()
			}
		}
		close(stop)
		readers.Wait()
		t.Logf("%d reads, missing for a moment in %d", reads, missing)
		for _, n := range reads {
			if n == 0 {
				t.Error("a reader has read nothing")
			}
		}
	})
}

func TestLockExcludes(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		put(t, p.open(t), text("counter", "0"))
		count(t, p, 4, 5)
	})
}

// count has writers with connections of their own increment a counter, which
// loses some unless they exclude each other.
func count(t *testing.T, p place, workers, times int) {
	t.Helper()
	var running sync.WaitGroup
	for range workers {
		s := p.open(t)
		running.Go(func() {
			for range times {
				if err := increment(t.Context(), s); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	running.Wait()
	has(t, p.open(t), "counter", strconv.Itoa(workers*times))
}

func increment(ctx context.Context, s Store) error {
	ctx, unlock, err := s.Lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	body, err := s.Get(ctx, "counter", 100)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(string(body))
	if err != nil {
		return err
	}
	return s.Put(ctx, []File{text("counter", strconv.Itoa(n+1))})
}

func TestLockIsGivenBack(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		p.options.Lease = 3 * time.Second // as the holder has it
		first, second := p.open(t), p.open(t)
		ctx, unlock := locked(t, first)
		waiting, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		if _, _, err := second.Lock(waiting); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a second lock: %v", err)
		}
		if ctx.Err() != nil {
			t.Errorf("the lock was lost: %v", context.Cause(ctx))
		}
		unlock()
		unlock()
		if ctx.Err() == nil {
			t.Error("the context goes on after unlock")
		}
		put(t, second, text("x", "second"))
		put(t, first, text("x", "first again"))
		has(t, second, "x", "first again")

		held := holder(t, p)
		waiting, cancel = context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		if _, _, err := second.Lock(waiting); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a lock beside that of a process: %v", err)
		}
		if err := held.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		put(t, second, text("x", "third"))
		t.Logf("the lock of a killed process was taken over after %v", time.Since(begun).Round(time.Millisecond))
	})
}

func TestMend(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		s := p.open(t)
		put(t, s, text("a/b/file", "x"), text(".expired", "x"))
		left := map[string]bool{"a/b/.foreign": true, ".lock": true, ".expired": true, "a/.kinectl-newer": true, "a/b/" + asidePrefix + "X": false, asidePrefix + "Y": false}
		if p.dir != "" {
			for name := range maps.Keys(left) {
				if err := os.WriteFile(filepath.Join(p.dir, name), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
		ctx, _ := locked(t, s)
		if err := s.Mend(ctx); err != nil {
			t.Fatal(err)
		}
		has(t, s, "a/b/file", "x")
		for name, stays := range left {
			if _, err := os.Stat(filepath.Join(p.dir, name)); p.dir != "" && (err == nil) != stays {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}
