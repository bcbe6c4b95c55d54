package storage

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	// asidePrefix starts the names of files that are not in their place yet.
	// Whoever holds the lock may remove every such file that is not its own.
	asidePrefix = ".kinectl-new-"

	// syncWidth is how many files are written and synced at the same time: a
	// journaling file system commits them together, so eight cost little more
	// than one.
	syncWidth = 8
)

// aside is a name in the directory of name for its new content.
func aside(name string) string { return path.Join(path.Dir(name), asidePrefix+rand.Text()) }

// Put writes everything aside first and renames only when all of it is on the
// disk, so an error before that changes nothing.
func (d *dir) Put(ctx context.Context, files []File) error {
	bodies, links, err := arrange(files)
	if err != nil {
		return err
	}
	changed := map[string]bool{}
	if err := d.prepare(files, changed); err != nil {
		return err
	}
	if err := d.replace(ctx, bodies, time.Time{}); err != nil {
		return err
	}
	for _, f := range files {
		changed[path.Dir(f.Name)] = true
	}
	for _, f := range links {
		if err := d.link(ctx, f); err != nil {
			return err
		}
	}
	return d.syncDirs(ctx, changed)
}

func (d *dir) PutRoots(ctx context.Context, files []File) error {
	bodies, links, err := arrange(files)
	if err != nil {
		return err
	}
	if len(links) > 0 {
		return fmt.Errorf("%s cannot be a link: %w", links[0].Name, fs.ErrInvalid)
	}
	changed := map[string]bool{}
	if err := d.prepare(files, changed); err != nil {
		return err
	}
	if err := d.replace(ctx, bodies, time.Now()); err != nil {
		return err
	}
	for _, f := range files {
		changed[path.Dir(f.Name)] = true
	}
	return d.syncDirs(ctx, changed)
}

// prepare makes the directories of files and clears them of what killed
// writers left.
func (d *dir) prepare(files []File, changed map[string]bool) error {
	seen := map[string]bool{}
	for _, f := range files {
		parent := path.Dir(f.Name)
		if seen[parent] {
			continue
		}
		seen[parent] = true
		if err := d.makeDir(parent, changed); err != nil {
			return err
		}
		if err := sweep(d.path(parent)); err != nil {
			return err
		}
	}
	return nil
}

// sweep removes what killed writers left in one directory.
func sweep(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), asidePrefix) && e.Type().IsRegular() {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// replace writes files aside, some at a time, and then renames all of them in
// their order. Where now is not zero, it becomes their modification time, or
// the second after the one of the file that is there when that is later.
func (d *dir) replace(ctx context.Context, files []File, now time.Time) (err error) {
	temporary := make([]string, len(files))
	order := make([]int, len(files))
	for i, f := range files {
		temporary[i], order[i] = d.path(aside(f.Name)), i
	}
	defer func() {
		for _, name := range temporary {
			if err != nil && name != "" {
				os.Remove(name)
			}
		}
	}()
	if err := each(ctx, syncWidth, order, func(ctx context.Context, i int) error {
		if err := d.writeAside(ctx, temporary[i], files[i], now); err != nil {
			return fmt.Errorf("write %s: %w", d.path(files[i].Name), err)
		}
		d.step("aside " + files[i].Name)
		return nil
	}); err != nil {
		return err
	}
	for i, f := range files {
		if err := os.Rename(temporary[i], d.path(f.Name)); err != nil {
			return err
		}
		temporary[i] = ""
		d.step("written " + f.Name)
	}
	return nil
}

func (d *dir) writeAside(ctx context.Context, temporary string, f File, now time.Time) error {
	out, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer out.Close()
	if err := f.copyTo(ctx, out); err != nil {
		return err
	}
	if err := out.Chmod(0o644); err != nil { // whatever the umask: a web server reads it
		return err
	}
	if !now.IsZero() {
		if before, err := os.Stat(d.path(f.Name)); err == nil {
			now = later(before.ModTime(), now)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := os.Chtimes(temporary, now, now); err != nil {
			return err
		}
	}
	if err := out.Sync(); err != nil {
		return err
	}
	return out.Close()
}

// later is now, or the second after the one of before when that is later.
// Clients ask with If-Modified-Since, which counts seconds: two publications in
// one second would look like one.
func later(before, now time.Time) time.Time {
	if next := before.Truncate(time.Second).Add(time.Second); next.After(now) {
		return next
	}
	return now
}

// link makes f.Name the same file as f.LinkOf, or a copy of it where the file
// system has no links (or no more of them).
func (d *dir) link(ctx context.Context, f File) error {
	source, target := d.path(f.LinkOf), d.path(f.Name)
	before, err := os.Stat(source)
	if err != nil {
		return err
	}
	// rename(2) does nothing when both names are one file, and would leave the
	// temporary name.
	if now, err := os.Lstat(target); err == nil && os.SameFile(before, now) {
		d.step("written " + f.Name)
		return nil
	}
	temporary := d.path(aside(f.Name))
	switch err := os.Link(source, temporary); {
	case errors.Is(err, syscall.EXDEV), errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EMLINK), errors.Is(err, syscall.ENOTSUP):
		f.Size = before.Size()
		f.Open = func() (io.ReadCloser, error) { return os.Open(source) }
		return d.replace(ctx, []File{f}, time.Time{})
	case err != nil:
		return err
	}
	d.step("aside " + f.Name)
	if err := os.Rename(temporary, target); err != nil {
		os.Remove(temporary)
		return err
	}
	d.step("written " + f.Name)
	return nil
}

// Mend walks over the whole repository. Put does the same for the directories
// that it writes to, so nobody has to wait for this.
func (d *dir) Mend(ctx context.Context) error {
	return filepath.WalkDir(d.root, func(at string, entry fs.DirEntry, err error) error {
		if err = errors.Join(err, ctx.Err()); err != nil || !entry.IsDir() {
			return err
		}
		return sweep(at)
	})
}
