package assets

import "golang.org/x/sys/unix"

// exchange swaps two folders in one step (rename(2) of macOS, RENAME_SWAP).
func exchange(a, b string) error {
	return unix.RenamexNp(a, b, unix.RENAME_SWAP) // ENOTSUP is errors.ErrUnsupported
}
