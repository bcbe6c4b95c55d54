package service

import (
	"net"
	"os"
	"sync"
	"time"
)

// acceptAfter is the variable with the path of a file: while it is not there,
// nobody is accepted but on the metrics address. kinectl sets it for the
// instance that comes while the service restarts (docs/zero-downtime.md): whether that one is healthy is
// asked on its metrics address first, and one that is not has cost no request.
const acceptAfter = "ACCEPT_AFTER"

// look is how often.
const look = 5 * time.Millisecond

// hold is one file that listeners wait for.
type hold struct {
	file string
	once sync.Once
	open chan struct{} // closed when the file was there
}

func newHold(file string) *hold { return &hold{file: file, open: make(chan struct{})} }

// on returns a listener that accepts from when the file is there. The file is
// removed then: whoever made it sees that it was found. With no file to wait
// for, it is l.
func (h *hold) on(l net.Listener) net.Listener {
	if h.file == "" {
		return l
	}
	return &heldListener{Listener: l, hold: h, closed: make(chan struct{})}
}

// wait returns false when closed is closed before.
func (h *hold) wait(closed <-chan struct{}) bool {
	again := time.NewTicker(look)
	defer again.Stop()
	for {
		select {
		case <-h.open:
			return true
		case <-closed:
			return false
		case <-again.C:
			if _, err := os.Lstat(h.file); err == nil {
				h.once.Do(func() { close(h.open); _ = os.Remove(h.file) })
			}
		}
	}
}

// heldListener may be used like any listener: by many at once.
type heldListener struct {
	net.Listener
	hold   *hold
	closed chan struct{}
	close  sync.Once
}

// Accept waits for the file first.
func (l *heldListener) Accept() (net.Conn, error) {
	select {
	case <-l.hold.open:
	default:
		if !l.hold.wait(l.closed) {
			return nil, &net.OpError{Op: "accept", Net: l.Addr().Network(), Addr: l.Addr(), Err: net.ErrClosed}
		}
	}
	return l.Listener.Accept()
}

// Close ends a wait too.
func (l *heldListener) Close() error {
	l.close.Do(func() { close(l.closed) })
	return l.Listener.Close()
}
