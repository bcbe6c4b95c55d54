package lab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// group is a control group by its path below the root of every hierarchy:
// "kinectl-demo/h1". A host lives in one of its own, so that all its processes
// can be listed and ended without a pid file or a name, and so that systemd
// inside may set limits below it.
type group string

func labGroup(lab string) group { return group("kinectl-" + lab) }

func (g group) child(name string) group { return g + "/" + group(name) }

// hierarchies are the mount points of all control group trees: one on cgroup v2;
// one a controller on v1, and perhaps a v2 tree without controllers beside them.
func hierarchies() (dirs []string) {
	mounts, err := mountTable()
	if err != nil {
		return nil
	}
	for _, m := range mounts {
		if (m.fstype == "cgroup" || m.fstype == "cgroup2") && strings.HasPrefix(m.dir, "/sys/fs/cgroup") {
			dirs = append(dirs, m.dir)
		}
	}
	return dirs
}

// dirs are the group's directories, one a hierarchy, whether they exist or not.
func (g group) dirs() []string {
	dirs := hierarchies()
	for i := range dirs {
		dirs[i] = filepath.Join(dirs[i], string(g))
	}
	return dirs
}

// create makes the group and its parents, ready to take processes.
func (g group) create() error {
	for _, root := range hierarchies() {
		dir := root
		for name := range strings.SplitSeq(string(g), "/") {
			// cgroup v2 gives a group only the controllers that its parent
			// hands down, and v1 has no such file. What a machine lacks
			// (say io) is not needed by everyone: the rest still works.
			for _, c := range []string{"+cpu", "+cpuset", "+io", "+memory", "+pids"} {
				_ = writeExisting(filepath.Join(dir, "cgroup.subtree_control"), c)
			}
			parent := dir
			dir = filepath.Join(dir, name)
			if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
				return err
			}
			// A new cpuset of v1 is empty, and takes no process before it is filled.
			for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
				if own, err := os.ReadFile(filepath.Join(dir, file)); err != nil || strings.TrimSpace(string(own)) != "" {
					continue
				}
				all, err := os.ReadFile(filepath.Join(parent, file))
				if err == nil && strings.TrimSpace(string(all)) != "" {
					err = writeExisting(filepath.Join(dir, file), strings.TrimSpace(string(all)))
				}
				if err != nil {
					return err
				}
			}
			_ = writeExisting(filepath.Join(dir, "cgroup.clone_children"), "1") // so that groups made inside are filled too
		}
	}
	return nil
}

// processes lists the pids in the group and below it, each once.
func (g group) processes() []int {
	var pids []int
	seen := map[int]bool{}
	for _, dir := range g.dirs() {
		_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.IsDir() {
				return nil
			}
			f, err := os.Open(filepath.Join(path, "cgroup.procs"))
			if err != nil {
				return nil
			}
			defer f.Close()
			for lines := bufio.NewScanner(f); lines.Scan(); {
				if pid, err := strconv.Atoi(lines.Text()); err == nil && pid > 1 && !seen[pid] {
					seen[pid] = true
					pids = append(pids, pid)
				}
			}
			return nil
		})
	}
	return pids
}

// freeze stops every process of a host, first of all its PID 1, from whose end the
// others would learn that something is wrong.
func (g group) freeze(leader int) {
	_ = syscall.Kill(leader, syscall.SIGSTOP)
	stopped := map[int]bool{leader: true}
	for more := true; more; { // one that was not stopped yet may have started another
		more = false
		for _, pid := range g.processes() {
			if !stopped[pid] && numberInHost(pid) != "" {
				stopped[pid], more = true, true
				_ = syscall.Kill(pid, syscall.SIGSTOP)
			}
		}
	}
}

// kill ends every process of the group and returns when all are gone.
func (g group) kill(ctx context.Context) error {
	return g.drain(ctx, 30*time.Second, func(pids []int) {
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	})
}

// drain waits until the group has no process, calling each with those that
// remain before every further look.
func (g group) drain(ctx context.Context, atMost time.Duration, each func(pids []int)) error {
	for deadline := time.Now().Add(atMost); ; {
		pids := g.processes()
		if len(pids) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("end the processes of %s: %v are still there after %s", g, pids, atMost)
		}
		each(pids)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// remove deletes the group and all below it. No process may be left in it.
func (g group) remove() error {
	var all error
	for _, dir := range g.dirs() {
		var below []string
		_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				below = append(below, path)
			}
			return nil
		})
		for i := len(below) - 1; i >= 0; i-- { // children before parents
			if err := syscall.Rmdir(below[i]); err != nil && !errors.Is(err, fs.ErrNotExist) {
				all = errors.Join(all, fmt.Errorf("remove %s: %w", below[i], err))
			}
		}
	}
	return all
}

// memory is what the group uses, in bytes, page cache included; 0 if unknown.
func (g group) memory() int64 {
	for _, dir := range g.dirs() {
		for _, file := range []string{"memory.current", "memory.usage_in_bytes"} {
			if body, err := os.ReadFile(filepath.Join(dir, file)); err == nil {
				n, _ := strconv.ParseInt(strings.TrimSpace(string(body)), 10, 64)
				return n
			}
		}
	}
	return 0
}

// writeExisting writes to a kernel file; it never creates one.
func writeExisting(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}
