package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"
)

// Down ends the lab of that name and removes all of it but the cached base
// image. It works as well on the remains of an up that was killed, and does
// nothing when there is nothing.
func Down(ctx context.Context, name string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	if err := require(true, false); err != nil {
		return err
	}
	lock, err := lockLab(ctx, name, newProgress(nil))
	if err != nil {
		return err
	}
	defer lock.release()
	if err := remove(ctx, name); err != nil {
		return fmt.Errorf("end lab %s: %w", name, err)
	}
	return nil
}

// Down is [Down] for this lab.
func (l *Lab) Down(ctx context.Context) error { return Down(ctx, l.record.Name) }

// remove takes a lab away: processes, then mounts, then names. The caller holds
// the lock. lab.json goes first, so that a killed down leaves remains and not
// something that looks like a lab.
func remove(ctx context.Context, name string) error {
	dir := stateDir(name)
	if err := os.Remove(filepath.Join(dir, "lab.json")); err != nil && !os.IsNotExist(err) {
		return err
	}
	closeConnections(ctx, filepath.Join(dir, "ssh", "cp"))
	g := labGroup(name)
	if err := g.kill(ctx); err != nil {
		return err
	}
	return errors.Join(
		removeNamespaces(name),
		removeNspawnFiles(name), // while the mounts tell which are ours
		removeTree(dir),
		g.remove(),
	)
}

// closeConnections ends the ssh connections that Ansible keeps open for later.
// They would end by themselves a little after the hosts.
func closeConnections(ctx context.Context, dir string) {
	sockets, _ := filepath.Glob(filepath.Join(dir, "*"))
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for _, socket := range sockets {
		_ = exec.CommandContext(ctx, "ssh", "-F", "none", "-S", socket, "-O", "exit", "lab").Run()
	}
}

// removeNspawnFiles deletes what a killed systemd-nspawn leaves outside our own
// directories: a lock named after the host's root directory, and directories
// named after the host.
func removeNspawnFiles(name string) error {
	const dir = "/run/systemd/nspawn"
	roots, _ := filepath.Glob(filepath.Join(stateDir(name), "hosts", "*", "root"))
	for _, root := range roots {
		if device, inode, err := identity(root); err == nil {
			_ = os.Remove(fmt.Sprintf("%s/locks/inode-%d:%d", dir, device, inode))
		}
	}
	ours := regexp.MustCompile("^" + regexp.QuoteMeta(labNetns(name)) + "-h[0-9]+$")
	var all error
	for _, kind := range []string{"propagate", "unix-export"} {
		entries, _ := os.ReadDir(filepath.Join(dir, kind))
		for _, e := range entries {
			if ours.MatchString(e.Name()) {
				all = errors.Join(all, removeTree(filepath.Join(dir, kind, e.Name())))
			}
		}
	}
	return all
}
