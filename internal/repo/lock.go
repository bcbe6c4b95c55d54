package repo

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// lock makes the caller the only writer of the repository in dir, waiting for
// others until ctx ends. The kernel releases it when the process dies, however
// that happens. Readers take no lock.
func lock(ctx context.Context, dir string) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	locked := make(chan error, 1)
	go func() {
		for {
			err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
			if !errors.Is(err, syscall.EINTR) {
				locked <- err
				return
			}
		}
	}()
	select {
	case err := <-locked:
		if err != nil {
			f.Close()
			return nil, &os.PathError{Op: "lock", Path: f.Name(), Err: err}
		}
		return func() { f.Close() }, nil
	case <-ctx.Done():
		go func() { // the wait cannot be called off, but what it brings can be given back
			<-locked
			f.Close()
		}()
		return nil, ctx.Err()
	}
}
