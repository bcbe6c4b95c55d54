package storage

import (
	"bufio"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"sync"
	"time"
)

//go:embed ssh_writer.sh
var writerScript string

// sshWriter is the one process on the other machine that holds the lock and
// writes. So nothing is written there after the lock is gone, whatever happens
// to the connection.
type sshWriter struct {
	*session
	mu      sync.Mutex // one Put at a time
	replies chan string
	lost    context.CancelCauseFunc
}

// silence is how long the other side, which sends a dot every ten seconds, may
// say nothing.
const silence = time.Minute

// Lock is flock(1) on the file .lock there, which is the lock of a publisher who
// works on that machine in the directory itself. It is given back when either
// process or the connection ends. Where our machine vanishes without a word, the
// connection ends there when TCP gives up on the dots, after a quarter of an hour
// on Linux, or earlier by sshd's ClientAliveInterval.
func (r *remote) Lock(ctx context.Context) (context.Context, func(), error) {
	socket, err := r.connect(ctx)
	if err != nil {
		return nil, nil, err
	}
	create := ""
	if r.create {
		create = "create"
	}
	s, err := startSession(r.command(socket, "no", writerScript, r.root, create), nil)
	if err != nil {
		return nil, nil, err
	}
	locked, lost := context.WithCancelCause(ctx)
	w := &sshWriter{session: s, replies: make(chan string, 1), lost: lost}
	stop := context.AfterFunc(ctx, s.kill)
	ready := make(chan error, 1)
	go w.listen(ready)
	if err := <-ready; err != nil {
		stop()
		lost(err)
		return nil, nil, fmt.Errorf("lock %s: %w", r, errors.Join(ctx.Err(), err))
	}
	stop() // from here on unlock, or a Put that is called off, ends it
	r.mu.Lock()
	r.writer = w
	r.mu.Unlock()
	return locked, sync.OnceFunc(func() {
		r.mu.Lock()
		if r.writer == w {
			r.writer = nil
		}
		r.mu.Unlock()
		lost(context.Canceled)
		s.in.Close()
		<-s.done
	}), nil
}

// listen reads what the other side says until it ends.
func (w *sshWriter) listen(ready chan<- error) {
	watch := time.AfterFunc(silence, func() { _ = w.cmd.Process.Kill() })
	defer watch.Stop()
	lines, locked := bufio.NewScanner(w.out), false
	for lines.Scan() {
		watch.Reset(silence)
		switch line := lines.Text(); {
		case line == "locked" && !locked:
			locked = true
			ready <- nil
		case locked && line != ".":
			w.replies <- line
		}
	}
	err := w.early()
	if !locked {
		ready <- err
	}
	close(w.replies)
	w.lost(fmt.Errorf("%w: %w", ErrLockLost, err))
}

// write runs f, which gives orders, with the process that holds the lock. One
// that is called off may finish the order it is in; when that takes long, the
// process is ended, and the lock with it.
func (r *remote) write(ctx context.Context, f func(*sshWriter) error) error {
	r.mu.Lock()
	w := r.writer
	r.mu.Unlock()
	if w == nil {
		return fmt.Errorf("write to %s: %w", r, errNotLocked)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	over := make(chan struct{})
	defer close(over)
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-over:
		case <-time.After(2 * time.Second):
			_ = w.cmd.Process.Kill()
		}
	})
	defer stop()
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := f(w); err != nil {
		return fmt.Errorf("write to %s: %w", r, err)
	}
	return nil
}
