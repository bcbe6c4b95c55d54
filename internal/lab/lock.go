package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// A lock is an flock on a file that is removed when the lock is given back, so
// that nothing of a lab is left behind. The kernel drops it when the last
// process that holds the descriptor is gone: a killed up leaves no lock, but the
// children that it was about to start still hold it until they can be found.
type lock struct{ file *os.File }

// acquire waits for the lock at path, as long as ctx lasts. It calls waiting
// once if someone else has it.
func acquire(ctx context.Context, path string, waiting func()) (*lock, error) {
	for said := false; ; {
		l, err := tryLock(path)
		if err != nil {
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		if l != nil {
			return l, nil
		}
		if !said {
			waiting()
			said = true
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("lock %s: %w", path, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// tryLock returns nil, nil when someone else holds the lock, or has just
// removed the file that we opened.
func tryLock(path string) (*lock, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // the directory went away with another lab; try again
	}
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, syscall.EINTR) {
			return nil, nil
		}
		return nil, err
	}
	ours, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	named, err := os.Stat(path)
	if err != nil || !os.SameFile(ours, named) {
		f.Close()
		return nil, nil
	}
	return &lock{f}, nil
}

// release removes the file while the lock is still held, so that nobody can
// lock a file that has no name any more without noticing, and its directory if
// nothing else is in it.
func (l *lock) release() {
	_ = os.Remove(l.file.Name())
	_ = os.Remove(filepath.Dir(l.file.Name()))
	l.file.Close()
}

// lockLab excludes any other up or down of one name.
func lockLab(ctx context.Context, name string, p *progress) (*lock, error) {
	return acquire(ctx, filepath.Join(stateRoot, "."+name+".lock"), func() {
		p.say("", "waiting: another command is working on lab "+name)
	})
}
