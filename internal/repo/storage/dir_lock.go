package storage

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"syscall"
)

// Lock is flock(2) on the file .lock. The kernel releases it when the process
// dies, however that happens. Readers take no lock.
func (d *dir) Lock(ctx context.Context) (locked context.Context, unlock func(), err error) {
	if d.create {
		_, missing := os.Stat(d.root)
		if err := os.MkdirAll(d.root, 0o755); err != nil {
			return nil, nil, err
		}
		if missing != nil { // made just now: web servers read it, whatever the umask
			if err := os.Chmod(d.root, 0o755); err != nil {
				return nil, nil, err
			}
		}
	}
	f, err := os.OpenFile(filepath.Join(d.root, lockName), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, nil, err
	}
	if err := flock(ctx, f); err != nil {
		return nil, nil, err
	}
	// Nothing but unlock takes this lock away.
	locked, cancel := context.WithCancel(ctx)
	return locked, sync.OnceFunc(func() { cancel(); f.Close() }), nil
}

// flock locks f, and closes it when it cannot.
func flock(ctx context.Context, f *os.File) error {
	done := make(chan error, 1)
	go func() {
		for {
			err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
			if !errors.Is(err, syscall.EINTR) {
				done <- err
				return
			}
		}
	}()
	select {
	case err := <-done:
		if err != nil {
			f.Close()
			return &os.PathError{Op: "lock", Path: f.Name(), Err: err}
		}
		return nil
	case <-ctx.Done():
		go func() { // the wait cannot be called off, but what it brings can be given back
			<-done
			f.Close()
		}()
		return ctx.Err()
	}
}
