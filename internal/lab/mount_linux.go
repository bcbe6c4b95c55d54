package lab

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// mountOverlay puts a writable layer over the read-only image.
func mountOverlay(lower, upper, work, at string) error {
	data := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", lower, upper, work)
	if err := unix.Mount("kinectl-lab", at, "overlay", 0, data); err != nil {
		return fmt.Errorf("mount an overlay at %s: %w (its file system must be able to carry one; another overlay cannot)", at, err)
	}
	return nil
}

// unmount takes a mount away at once; the kernel frees it when the last user
// is gone.
func unmount(at string) error { return unix.Unmount(at, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW) }

// identity is what the kernel knows a file by.
func identity(path string) (device, inode uint64, err error) {
	var st unix.Stat_t
	err = unix.Lstat(path, &st)
	return st.Dev, st.Ino, err
}
