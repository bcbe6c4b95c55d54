package lab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
)

// need is something outside kinectl that the lab uses, and Debian's package of it.
type need struct{ program, pkg string }

// require checks at once everything that the work ahead needs, so that one
// message names it all. built says that the base image exists already; disk, that
// hosts get disks of a bounded size.
func require(built, disk bool) error {
	if runtime.GOOS != "linux" {
		return errors.New("the lab needs Linux: it boots hosts with systemd-nspawn")
	}
	if os.Geteuid() != 0 {
		return errors.New("the lab needs root, for mounts and namespaces: run it through sudo")
	}
	if len(hierarchies()) == 0 {
		return errors.New("the lab needs control groups mounted at /sys/fs/cgroup; run it on the machine itself, not in a container")
	}
	return missing(needs(built, disk), func(program string) bool {
		_, err := exec.LookPath(program)
		return err == nil
	})
}

func needs(built, disk bool) []need {
	list := []need{{"systemd-nspawn", "systemd-container"}, {"ssh", "openssh-client"}, {"nsenter", "util-linux"}}
	if !built {
		list = append(list, need{"debootstrap", "debootstrap"}, need{archiveKeys, "debian-archive-keyring"})
	}
	if disk {
		list = append(list, need{"mkfs.ext4", "e2fsprogs"}, need{"mount", "mount"})
	}
	return list
}

// missing turns what is not there into one error with the command that mends it.
func missing(list []need, has func(string) bool) error {
	var programs, packages []string
	for _, n := range list {
		if !has(n.program) && (n.program != archiveKeys || !readable(archiveKeys)) {
			programs, packages = append(programs, n.program), append(packages, n.pkg)
		}
	}
	if len(programs) == 0 {
		return nil
	}
	slices.Sort(packages)
	return fmt.Errorf("the lab needs %s: apt-get install %s", strings.Join(programs, ", "), strings.Join(slices.Compact(packages), " "))
}

func readable(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	return f.Close() == nil
}
