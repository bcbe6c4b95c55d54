package assets

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// lock holds a folder until the file is closed or the process dies.
func lock(dir string) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// removeDead removes what runs have left behind that were killed. One that is alive holds a lock.
func removeDead(parent, prefix string) {
	entries, _ := os.ReadDir(parent) // what cannot be listed is no hindrance
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), prefix) || !e.IsDir() {
			continue
		}
		path := filepath.Join(parent, e.Name())
		if held, err := lock(path); err == nil {
			_ = os.RemoveAll(path) // the next run tries again
			held.Close()
		}
	}
}
