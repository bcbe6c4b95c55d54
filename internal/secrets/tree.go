package secrets

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxFile bounds what is read of one file, in bytes: nobody keeps secrets by
// hand in a larger one.
const maxFile = 16 << 20

// File is a file of a tree.
type File struct {
	Path string // relative to the tree, with slashes
	Body []byte
}

// Tree reads the text files below dir, but for .git, links and what is larger
// than 16 MiB, in the order of their names.
func Tree(dir string) ([]File, error) {
	var all []File
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == ".git":
			return fs.SkipDir
		case !d.Type().IsRegular() || strings.HasSuffix(name, aside):
			return nil
		}
		info, err := d.Info()
		if err != nil || info.Size() > maxFile {
			return err
		}
		body, err := os.ReadFile(name)
		if err != nil || bytes.IndexByte(body, 0) >= 0 {
			return err
		}
		path, err := filepath.Rel(dir, name)
		all = append(all, File{filepath.ToSlash(path), body})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the files of %s: %w", dir, err)
	}
	return all, nil
}

// resolved is the absolute path of a folder, without links.
func resolved(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(dir)
}

// top is the folder that has the journal of a tree, or will have it: that of the git
// repository which dir is in, so that every part of it knows of an unfinished
// rekey, else dir itself.
func top(dir string) (string, error) {
	dir, err := resolved(dir)
	if err != nil {
		return "", err
	}
	for at := dir; ; at = filepath.Dir(at) {
		for _, sign := range []string{journalName, ".git"} {
			if _, err := os.Lstat(filepath.Join(at, sign)); err == nil {
				return at, nil
			}
		}
		if at == filepath.Dir(at) {
			return dir, nil
		}
	}
}
