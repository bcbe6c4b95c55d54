package server

import (
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestSilent asks the kernel what it was told about a connection. The control
// is one that nobody told anything.
func TestSilent(t *testing.T) {
	option := func(c *net.TCPConn, level, name int) (value int) {
		t.Helper()
		raw, err := c.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		var failed error
		if err := raw.Control(func(fd uintptr) { value, failed = unix.GetsockoptInt(int(fd), level, name) }); err != nil || failed != nil {
			t.Fatal(err, failed)
		}
		return value
	}
	l := listen(t)
	defer l.Close()
	c := dial(t, l.Addr().String())
	f := func(level, name, want int) {
		t.Helper()
		if got := option(c, level, name); got != want {
			t.Errorf("option %d is %d, want %d", name, got, want)
		}
	}
	f(unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, 0)
	if ctx := connContext(time.Minute)(t.Context(), c); ctx.Value(connKey{}) != c {
		t.Error("a request does not know its connection")
	}
	f(unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, 60_000)
	f(unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
	f(unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 30)
	f(unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, 8)
	f(unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 4)
}
