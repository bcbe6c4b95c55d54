package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// mountPoint is a line of /proc/self/mountinfo (proc(5)).
type mountPoint struct{ dir, fstype string }

func mountTable() ([]mountPoint, error) {
	body, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	return parseMountInfo(string(body)), nil
}

func parseMountInfo(text string) (table []mountPoint) {
	for line := range strings.Lines(text) {
		left, right, ok := strings.Cut(line, " - ")
		fields, after := strings.Fields(left), strings.Fields(right)
		if ok && len(fields) >= 5 && len(after) >= 1 {
			table = append(table, mountPoint{unescapeMount(fields[4]), after[0]})
		}
	}
	return table
}

// unescapeMount undoes the \040 that the kernel writes for a blank.
func unescapeMount(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// unmountBelow takes away every mount under dir, the innermost first.
func unmountBelow(dir string) error {
	table, err := mountTable()
	if err != nil {
		return err
	}
	var all error
	for i := len(table) - 1; i >= 0; i-- { // later mounts lie on or below earlier ones
		if at := table[i].dir; at == dir || strings.HasPrefix(at, dir+"/") {
			if err := unmount(at); err != nil {
				all = errors.Join(all, fmt.Errorf("unmount %s: %w", at, err))
			}
		}
	}
	return all
}

// removeTree deletes dir after unmounting what is below it. It never reaches
// through a mount: if one is still there, nothing is deleted.
func removeTree(dir string) error {
	if err := unmountBelow(dir); err != nil {
		return err
	}
	table, err := mountTable()
	if err != nil {
		return err
	}
	for _, m := range table {
		if m.dir == dir || strings.HasPrefix(m.dir, dir+"/") {
			return fmt.Errorf("remove %s: %s is mounted", dir, m.dir)
		}
	}
	return os.RemoveAll(dir)
}

// writeInto writes files into a host's root directory, given by absolute path.
// The image's own symbolic links cannot lead outside it.
func writeInto(dir string, files map[string]File) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for path, f := range files {
		rel, err := filepath.Rel("/", path)
		if err != nil || !filepath.IsAbs(path) {
			return fmt.Errorf("write %s into a host: want an absolute path", path)
		}
		if err := root.MkdirAll(filepath.Dir(rel), 0o755); err != nil {
			return err
		}
		if err := root.Remove(rel); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := root.WriteFile(rel, f.Body, f.Mode); err != nil {
			return err
		}
		if err := root.Chmod(rel, f.Mode); err != nil { // whatever the umask is
			return err
		}
	}
	return nil
}
