package grpcserver

import (
	"net"
	"sync"
	"sync/atomic"
)

// accepted are the connections of a server from Accept on. gRPC itself knows one when both
// sides have said hello: at a stop it closes one that it has just accepted, and
// waits up to handshakeLimit for one that says nothing.
type accepted struct {
	mu   sync.Mutex
	open map[*conn]struct{}
}

// quiet is the number of those whose client has sent nothing yet.
func (a *accepted) quiet() (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for c := range a.open {
		if !c.spoke.Load() {
			n++
		}
	}
	return n
}

// close closes the quiet ones, or all.
func (a *accepted) close(all bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for c := range a.open {
		if all || !c.spoke.Load() {
			_ = c.Conn.Close()
		}
	}
}

// listener notes what it accepts.
type listener struct {
	net.Listener
	accepted *accepted
}

func (l *listener) Accept() (net.Conn, error) {
	raw, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: raw, accepted: l.accepted}
	l.accepted.mu.Lock()
	defer l.accepted.mu.Unlock()
	if l.accepted.open == nil {
		l.accepted.open = map[*conn]struct{}{}
	}
	l.accepted.open[c] = struct{}{}
	return c, nil
}

// conn notes whether its client has spoken. gRPC cannot set TCP_USER_TIMEOUT on it, as it
// does on a *net.TCPConn; its pings, see silence and answerLimit, find clients that are gone.
type conn struct {
	net.Conn
	accepted *accepted
	spoke    atomic.Bool
}

func (c *conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 && !c.spoke.Load() {
		c.spoke.Store(true)
	}
	return n, err
}

func (c *conn) Close() error {
	c.accepted.mu.Lock()
	delete(c.accepted.open, c)
	c.accepted.mu.Unlock()
	return c.Conn.Close()
}
