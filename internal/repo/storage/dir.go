package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"github.com/kinectl/kinectl/internal/atomicfile"
)

// dir keeps a repository in a directory of this machine.
type dir struct {
	root   string
	create bool // make root when it is locked and not there
	step   func(string)
}

// Dir is the repository in the directory at path. step, which may be nil, is
// told "aside NAME" when the new content of a file is safe beside it and
// "written NAME" when it is in its place; never two at the same time.
func Dir(path string, step func(string)) Store { return newDir(path, step) }

func newDir(path string, step func(string)) *dir {
	var one sync.Mutex
	return &dir{root: path, step: func(what string) {
		if step != nil {
			one.Lock()
			defer one.Unlock()
			step(what)
		}
	}}
}

func (d *dir) String() string { return d.root }

func (d *dir) path(name string) string { return filepath.Join(d.root, filepath.FromSlash(name)) }

func (d *dir) Get(ctx context.Context, name string, limit int64) ([]byte, error) {
	f, err := d.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	body, err := ReadAllLimit(f, limit)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", d.path(name), err)
	}
	return body, nil
}

func (d *dir) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	if err := errors.Join(ctx.Err(), checkName(name)); err != nil {
		return nil, err
	}
	f, err := os.Open(d.path(name))
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		f.Close()
		return nil, errors.Join(err, notRegular(d.path(name)))
	}
	return f, nil
}

func (d *dir) Stat(ctx context.Context, name string) (Info, error) {
	if err := errors.Join(ctx.Err(), checkName(name)); err != nil {
		return Info{}, err
	}
	info, err := os.Stat(d.path(name))
	if err == nil && !info.Mode().IsRegular() {
		err = notRegular(d.path(name))
	}
	if err != nil {
		return Info{}, err
	}
	return Info{Name: name, Size: info.Size(), Modified: info.ModTime()}, nil
}

func notRegular(name string) error { return fmt.Errorf("%s is not a regular file", name) }

func (d *dir) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		top := path.Dir(prefix + "x") // "pool/ma" may go on with any name in pool
		err := filepath.WalkDir(d.path(top), func(at string, entry fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err = errors.Join(err, ctx.Err()); err != nil {
				return err
			}
			name, err := filepath.Rel(d.root, at)
			if err != nil {
				return err
			}
			name = filepath.ToSlash(name)
			switch {
			case name != "." && strings.HasPrefix(entry.Name(), ".") && entry.IsDir():
				return fs.SkipDir
			case entry.IsDir() && !strings.HasPrefix(name+"/", prefix) && !strings.HasPrefix(prefix, name+"/") && name != ".":
				return fs.SkipDir
			case !entry.Type().IsRegular() || !strings.HasPrefix(name, prefix) || strings.HasPrefix(entry.Name(), "."):
				return nil
			}
			info, err := entry.Info()
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err == nil && !yield(Info{Name: name, Size: info.Size(), Modified: info.ModTime()}, nil) {
				return fs.SkipAll
			}
			return err
		})
		if err != nil {
			yield(Info{}, fmt.Errorf("list %s: %w", d.root, err))
		}
	}
}

func (d *dir) Remove(ctx context.Context, names []string) error {
	dirs := map[string]bool{}
	for _, name := range names {
		if err := errors.Join(ctx.Err(), checkName(name)); err != nil {
			return err
		}
		switch err := os.Remove(d.path(name)); {
		case err == nil:
			dirs[path.Dir(name)] = true
		case !errors.Is(err, fs.ErrNotExist):
			return err
		}
	}
	return d.syncDirs(ctx, dirs)
}

// syncDirs makes the names in these directories durable.
func (d *dir) syncDirs(ctx context.Context, dirs map[string]bool) error {
	var all []string
	for name := range dirs {
		all = append(all, name)
	}
	return each(ctx, syncWidth, all, func(_ context.Context, name string) error {
		return atomicfile.SyncDir(d.path(name))
	})
}

// makeDir makes a directory and those above it, up to the root. The names that
// become directories with something new in them are added to changed.
func (d *dir) makeDir(name string, changed map[string]bool) error {
	err := os.Mkdir(d.path(name), 0o755)
	if errors.Is(err, fs.ErrNotExist) && name != "." {
		if err := d.makeDir(path.Dir(name), changed); err != nil {
			return err
		}
		err = os.Mkdir(d.path(name), 0o755)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	changed[path.Dir(name)] = true
	if err != nil {
		return err
	}
	return os.Chmod(d.path(name), 0o755) // whatever the umask: web servers read it
}
