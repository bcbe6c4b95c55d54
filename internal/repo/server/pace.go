package server

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

// pace cuts off clients that take less than least bytes in a window. The
// deadline stands on the connection, so that the kernel sends the file
// (sendfile(2)) and this process is woken up once a window only.
type pace struct {
	window time.Duration
	least  int64
}

// newPace wants rate bytes a second, and more than what net/http sends ahead
// of the file: that must not pass for progress.
func newPace(window time.Duration, rate int64) pace {
	return pace{window, max(int64(window.Seconds()*float64(rate)), 4096)}
}

// send copies r to w for as long as the client keeps up. When it does not, the
// error is os.ErrDeadlineExceeded.
func (p pace) send(w io.ReaderFrom, r io.Reader, deadline func(time.Time) error) (sent int64, err error) {
	for {
		if err := deadline(time.Now().Add(p.window)); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return sent, err
		}
		left := unread(r)
		n, err := w.ReadFrom(r)
		sent += n
		if !errors.Is(err, os.ErrDeadlineExceeded) || n < p.least {
			return sent, err
		}
		if !goBack(r, left-unread(r)-n) {
			return sent, err
		}
	}
}

// unread is how much http.ServeContent still wants of r.
func unread(r io.Reader) int64 {
	if l, ok := r.(*io.LimitedReader); ok {
		return l.N
	}
	return 0
}

// goBack unreads the last n bytes: where the kernel cannot send from a file
// system, they were in a buffer of this process when the window ended.
func goBack(r io.Reader, n int64) bool {
	l, ok := r.(*io.LimitedReader)
	if !ok {
		return false
	}
	content, ok := l.R.(io.Seeker)
	if !ok {
		return false
	}
	if n != 0 {
		if _, err := content.Seek(-n, io.SeekCurrent); err != nil {
			return false
		}
		l.N += n
	}
	return true
}

// connKey is under what a request's context has its connection.
type connKey struct{}

// connContext watches every new connection: one whose other end is gone
// without a word ends when silent has passed.
func connContext(silent time.Duration) func(context.Context, net.Conn) context.Context {
	return func(ctx context.Context, c net.Conn) context.Context {
		conn, ok := c.(*net.TCPConn)
		if !ok {
			return ctx
		}
		// Without them the connection is only watched less.
		_ = conn.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: silent / 2, Interval: silent / 8, Count: 4})
		_ = giveUpAfter(conn, silent)
		return context.WithValue(ctx, connKey{}, conn)
	}
}

// cutOff makes the connection of a request end with a reset once its handler
// returns: the kernel drops what it still holds for the client.
func cutOff(r *http.Request) {
	if conn, ok := r.Context().Value(connKey{}).(*net.TCPConn); ok {
		_ = conn.SetLinger(0)
	}
}
