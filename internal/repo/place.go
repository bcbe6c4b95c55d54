package repo

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"strings"
)

// localDir is the directory that a location names, if it is one.
func localDir(location string) (dir string, local bool) {
	return location, !strings.Contains(location, "://")
}

func isURL(location string) bool {
	return strings.HasPrefix(location, "http://") || strings.HasPrefix(location, "https://")
}

// Shown returns a location as people may see it: without the password of a URL.
func Shown(location string) string {
	if _, local := localDir(location); local {
		return location
	}
	u, err := url.Parse(location)
	if err != nil { // so nobody knows where the password ends
		return "(an address that cannot be read)"
	}
	return u.Redacted()
}

// checkOutside refuses private keys in a tree that web servers serve.
func checkOutside(dir string, places ...string) error {
	root, err := realPath(dir)
	if err != nil {
		return err
	}
	for _, place := range places {
		if place == "" {
			continue
		}
		real, err := realPath(place)
		if err != nil {
			return err
		}
		if rel, err := filepath.Rel(root, real); err == nil && filepath.IsLocal(rel) {
			return fmt.Errorf("the private key %s would lie inside the repository, which web servers serve", place)
		}
	}
	return nil
}

// realPath resolves the links of the part of a path that exists.
func realPath(name string) (string, error) {
	name, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(name)
	if errors.Is(err, fs.ErrNotExist) {
		parent, err := realPath(filepath.Dir(name))
		return filepath.Join(parent, filepath.Base(name)), err
	}
	return real, err
}
