package assets

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestRefused(t *testing.T) {
	f := func(src, dst, want string, o Options) {
		t.Helper()
		before := []string{}
		if entries, err := os.ReadDir(dst); err == nil {
			for _, e := range entries {
				before = append(before, e.Name())
			}
		}
		_, err := Build(t.Context(), src, dst, o)
		var wrong UsageError
		if err == nil || !errors.As(err, &wrong) || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "prepare "+src) {
			t.Errorf("%s to %s: %v, want %q", src, dst, err, want)
		}
		after := []string{}
		if entries, err := os.ReadDir(dst); err == nil {
			for _, e := range entries {
				after = append(after, e.Name())
			}
		}
		if !slices.Equal(before, after) {
			t.Errorf("%s: %v before, %v after", dst, before, after)
		}
	}
	site := write(t, map[string]string{"index.html": "x", "sub/a.css": "a"})
	fresh := filepath.Join(t.TempDir(), "dist")
	f("/nonexistent", fresh, "no such file", Options{})
	f(t.TempDir(), fresh, "there are no files in it", Options{})
	f(site, site, "a folder of its own", Options{})
	f(site, filepath.Join(site, "dist"), "a folder of its own", Options{})
	f(filepath.Join(site, "sub"), site, "a folder of its own", Options{})
	f(site, write(t, map[string]string{"precious.txt": "x"}), "holds files that are not from here, like precious.txt", Options{})
	f(site, fresh, "keep [", Options{Keep: []string{"["}})
	f(write(t, map[string]string{manifestName: "{}"}), fresh, "prepared already", Options{})
	f(write(t, map[string]string{"a.txt": "a", "a.txt.gz": "something else"}), fresh, "a.txt.gz has the name of a compressed form of a.txt, and is none", Options{})
	loop := write(t, map[string]string{"a.txt": "a"})
	if err := os.Symlink("/etc/passwd", filepath.Join(loop, "out.txt")); err != nil {
		t.Fatal(err)
	}
	f(loop, fresh, "out.txt", Options{}) // leads out of the folder
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	f(site, file, "not a directory", Options{})
}

// TestReplaced writes a folder over one with leftovers of git, of a
// version before, and beside it what a killed run has left.
func TestReplaced(t *testing.T) {
	parent := t.TempDir()
	dst := filepath.Join(parent, "dist")
	for name, body := range map[string]string{"dist/.gitkeep": "", "dist/.gitignore": "*\n", ".dist.kinectl-1/half.css": "", ".other/x": ""} {
		path := filepath.Join(parent, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	alive := filepath.Join(parent, ".dist.kinectl-2")
	if err := os.Mkdir(alive, 0o700); err != nil {
		t.Fatal(err)
	}
	held, err := lock(alive)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()

	f := func(files map[string]string, want ...string) {
		t.Helper()
		if _, err := Build(t.Context(), write(t, files), dst, Options{}); err != nil {
			t.Fatal(err)
		}
		got := []string{}
		for name := range read(t, dst) {
			got = append(got, name)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	f(map[string]string{"a.txt": "a"}, ".gitignore", ".gitkeep", "a.txt", manifestName)
	f(map[string]string{"b.txt": "b", "sub/c.txt": "c", ".DS_Store": "", ".git/x": ""}, ".gitignore", ".gitkeep", "b.txt", manifestName, "sub/c.txt")
	entries, err := os.ReadDir(parent)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if want := []string{".dist.kinectl-2", ".other", "dist"}; !slices.Equal(names, want) {
		t.Errorf("beside the folder: %q, want %q", names, want)
	}
	if info, err := os.Stat(dst); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("%v %v", info.Mode(), err)
	}
}

// TestCancelled leaves the old folder, and nothing beside it.
func TestCancelled(t *testing.T) {
	dst, _ := build(t, "testdata/site", Options{})
	before := len(read(t, dst))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Build(ctx, write(t, map[string]string{"a.txt": "a"}), dst, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if after := len(read(t, dst)); after != before {
		t.Errorf("%d files before, %d after", before, after)
	}
	if entries, _ := os.ReadDir(filepath.Dir(dst)); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}

// TestExchange swaps in one step where the file system can, and in two where not.
func TestExchange(t *testing.T) {
	dir := t.TempDir()
	f := func(want string, replace func(a, b string) error) {
		t.Helper()
		a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
		for _, path := range []string{a, b} {
			_ = os.RemoveAll(path)
			if err := os.Mkdir(path, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(path, filepath.Base(path)), nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if err := replace(a, b); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(b, "a")); err != nil {
			t.Errorf("the new folder is not there: %v", err)
		}
		if entries, _ := os.ReadDir(dir); len(entries) != len(strings.Fields(want)) {
			t.Errorf("left: %v, want %s", entries, want)
		}
	}
	f("a b", replace)
	f("b", inTwoSteps)
}
