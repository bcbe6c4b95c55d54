package secrets

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/kinectl/kinectl/internal/atomicfile"
)

// A rekey writes every new file beside the old one, with the ending aside, and
// then the journal, which names them all: from there on it is done, and only
// the renames are left. Whoever finds files aside without a journal takes them away.
const (
	journalName = ".kinectl-rekey.json"
	aside       = ".kinectl-rekey"
)

// journal is what is left to be done.
type journal struct {
	Format int     `json:"format"`
	Files  []entry `json:"files"`
}

// entry is one file, by its path below the journal's folder, and what it holds
// before and after: SHA-256, in hexadecimal digits.
type entry struct {
	Path string `json:"path"`
	Old  string `json:"old"`
	New  string `json:"new"`
}

const journalFormat = 1

func digest(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// locked keeps another rekey of the same tree waiting. The kernel frees the lock
// with the process.
func locked(dir string) (root string, unlock func(), err error) {
	if info, err := os.Stat(dir); err != nil {
		return "", nil, err
	} else if !info.IsDir() {
		return "", nil, errors.New("it is no folder")
	}
	root, err = top(dir)
	if err != nil {
		return "", nil, err
	}
	f, err := os.Open(root)
	if err != nil {
		return "", nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		f.Close()
		return "", nil, fmt.Errorf("lock %s: %w", root, err)
	}
	return root, func() { f.Close() }, nil
}

// replace gives the files below root their new content, all or none.
func (r rekey) replace(root string, changes []change) (err error) {
	j := journal{Format: journalFormat}
	written := false
	defer func() {
		if err != nil && !written {
			for _, c := range changes {
				os.Remove(filepath.Join(root, filepath.FromSlash(c.Path)) + aside)
			}
		}
	}()
	for _, c := range changes {
		r.before()
		if err := putAside(filepath.Join(root, filepath.FromSlash(c.Path)), c.Body); err != nil {
			return err
		}
		j.Files = append(j.Files, entry{c.Path, digest(c.old), digest(c.Body)})
	}
	if err := syncFolders(root, j.Files); err != nil {
		return err
	}
	for _, e := range j.Files {
		if err := holds(root, e.Path, e.Old); err != nil {
			return fmt.Errorf("%w; nothing was changed, start again", err)
		}
	}
	text, err := json.MarshalIndent(j, "", "  ")
	if err != nil {
		return err
	}
	r.before()
	if err := atomicfile.Write(filepath.Join(root, journalName), append(text, '\n'), 0o600); err != nil {
		return err
	}
	written = true
	_, err = r.finish(root)
	return err
}

// putAside writes what a file will hold beside it, with its mode and owner.
func putAside(path string, body []byte) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path+aside, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(body); err != nil {
		return err
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && os.Geteuid() == 0 {
		if err := f.Chown(int(stat.Uid), int(stat.Gid)); err != nil {
			return err
		}
	}
	if err := f.Chmod(info.Mode().Perm()); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return f.Close()
}

// finish does what the journal in root says is left, and returns how many files
// there were. Without a journal it takes away what lies aside.
func (r rekey) finish(root string) (files int, err error) {
	name := filepath.Join(root, journalName)
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, r.undo(root)
	}
	var j journal
	if err == nil {
		err = json.Unmarshal(text, &j)
	}
	if err == nil && j.Format != journalFormat {
		err = errors.New("another version of kinectl has written it")
	}
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", name, err)
	}
	var left []entry
	for _, e := range j.Files {
		if !filepath.IsLocal(filepath.FromSlash(e.Path)) {
			return 0, fmt.Errorf("read %s: %q leads out of the tree", name, e.Path)
		}
		if holds(root, e.Path, e.New) == nil {
			continue
		}
		// A person may have written to the file since.
		if err := holds(root, e.Path, e.Old); err != nil {
			return 0, fmt.Errorf("%w; its new text is %s: put your change in there and rename it, or remove it and %s, and start again", err, e.Path+aside, journalName)
		}
		if err := holds(root, e.Path+aside, e.New); err != nil {
			return 0, fmt.Errorf("%w; take the files of %s from git again, remove it, and start again", err, journalName)
		}
		left = append(left, e)
	}
	for _, e := range left {
		r.before()
		path := filepath.Join(root, filepath.FromSlash(e.Path))
		if err := os.Rename(path+aside, path); err != nil {
			return 0, err
		}
	}
	if err := syncFolders(root, j.Files); err != nil {
		return 0, err
	}
	r.before()
	if err := os.Remove(name); err != nil {
		return 0, err
	}
	return len(j.Files), atomicfile.SyncDir(root)
}

// holds returns an error unless the file has the content of that digest.
func holds(root, path, sum string) error {
	body, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(path)))
	if err == nil && digest(body) != sum {
		err = fmt.Errorf("%s has changed meanwhile", path)
	}
	return err
}

// undo takes away what a rekey that was interrupted early has left aside.
func (r rekey) undo(root string) error {
	return filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == ".git":
			return fs.SkipDir
		case d.Type().IsRegular() && strings.HasSuffix(name, aside):
			r.before()
			return os.Remove(name)
		}
		return nil
	})
}

// syncFolders makes the names of the files durable.
func syncFolders(root string, of []entry) error {
	var folders []string
	for _, e := range of {
		folders = append(folders, filepath.Join(root, filepath.Dir(filepath.FromSlash(e.Path))))
	}
	slices.Sort(folders)
	for _, dir := range slices.Compact(folders) {
		if err := atomicfile.SyncDir(dir); err != nil {
			return err
		}
	}
	return nil
}
