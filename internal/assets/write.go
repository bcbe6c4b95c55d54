package assets

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/kinectl/kinectl/internal/atomicfile"
)

// target is the folder to be replaced.
type target struct {
	dir string // with its links followed
}

// open refuses a folder that holds what Build has not written, and one that is in
// or around the source.
func open(src, dst string) (*target, error) {
	from, err := filepath.Abs(src)
	if err == nil {
		from, err = filepath.EvalSymlinks(from)
	}
	if err != nil {
		return nil, err
	}
	to, err := filepath.Abs(dst)
	if err != nil {
		return nil, err
	}
	if followed, err := filepath.EvalSymlinks(to); err == nil {
		to = followed
	}
	for _, pair := range [][2]string{{from, to}, {to, from}} {
		if inside, err := filepath.Rel(pair[0], pair[1]); err == nil && filepath.IsLocal(inside) {
			return nil, fmt.Errorf("%s is a part of it, or it of %s: the result needs a folder of its own", dst, dst)
		}
	}
	entries, err := os.ReadDir(to)
	if errors.Is(err, fs.ErrNotExist) {
		return &target{to}, nil
	}
	if err != nil {
		return nil, err
	}
	foreign := ""
	for _, e := range entries {
		if e.Name() == manifestName {
			return &target{to}, nil
		}
		if !ofGit(e.Name()) {
			foreign = e.Name()
		}
	}
	if foreign != "" {
		return nil, fmt.Errorf("%s holds files that are not from here, like %s: name a folder that may be replaced", dst, foreign)
	}
	return &target{to}, nil
}

// ofGit names what stays in a folder that is replaced: it keeps the folder in
// git, and its content out.
func ofGit(name string) bool {
	return name == ".gitkeep" || name == ".gitignore" || name == ".gitattributes"
}

// write makes the folder anew beside the old one, and puts it in its place in one
// step, where the file system can (Linux and macOS).
func (t *target) write(ctx context.Context, files []File, manifest []byte) error {
	parent := filepath.Dir(t.dir)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	prefix := "." + filepath.Base(t.dir) + ".kinectl-"
	removeDead(parent, prefix)
	aside, err := os.MkdirTemp(parent, prefix)
	if err != nil {
		return err
	}
	defer os.RemoveAll(aside)
	alive, err := lock(aside)
	if err != nil {
		return err
	}
	defer alive.Close()
	contents, err := t.contents(files, manifest)
	if err != nil {
		return err
	}
	if err := fill(ctx, aside, contents); err != nil {
		return err
	}
	if err := os.Chmod(aside, 0o755); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := replace(aside, t.dir); err != nil {
		return err
	}
	return atomicfile.SyncDir(parent)
}

// contents are the files of the new folder, by path.
func (t *target) contents(files []File, manifest []byte) (map[string][]byte, error) {
	all := map[string][]byte{manifestName: manifest}
	for _, f := range files {
		all[f.Path] = f.body
		for ending, body := range f.forms {
			all[f.Path+ending] = body
		}
	}
	entries, err := os.ReadDir(t.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		if ofGit(e.Name()) && e.Type().IsRegular() {
			if all[e.Name()], err = os.ReadFile(filepath.Join(t.dir, e.Name())); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// fill writes and syncs the files, several at a time since a sync mostly waits.
func fill(ctx context.Context, dir string, contents map[string][]byte) error {
	names := make(chan string)
	var workers sync.WaitGroup
	var mu sync.Mutex
	var all error
	for range 16 {
		workers.Go(func() {
			for name := range names {
				if err := create(filepath.Join(dir, filepath.FromSlash(name)), contents[name]); err != nil {
					mu.Lock()
					all = errors.Join(all, err)
					mu.Unlock()
				}
			}
		})
	}
	for name := range contents {
		if ctx.Err() == nil {
			names <- name
		}
	}
	close(names)
	workers.Wait()
	if all != nil {
		return all
	}
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			err = atomicfile.SyncDir(path)
		}
		return err
	})
}

func create(path string, body []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(body)
	return errors.Join(err, f.Sync(), f.Close())
}

// replace puts aside in the place of dir. What was there is then at aside.
func replace(aside, dir string) error {
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
		return os.Rename(aside, dir)
	}
	err := exchange(aside, dir)
	if errors.Is(err, errors.ErrUnsupported) {
		return inTwoSteps(aside, dir)
	}
	return err
}

// inTwoSteps does without an exchange: there is a moment without the folder.
func inTwoSteps(aside, dir string) error {
	before := aside + ".before"
	if err := os.Rename(dir, before); err != nil {
		return err
	}
	if err := os.Rename(aside, dir); err != nil {
		return errors.Join(err, os.Rename(before, dir))
	}
	return os.RemoveAll(before)
}
