package server

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// giveUpAfter ends the connection when what was sent has not been acknowledged
// for d (tcp(7), TCP_USER_TIMEOUT). Keep-alive probes alone do not see that:
// they are sent only while nothing waits to be acknowledged.
func giveUpAfter(conn *net.TCPConn, d time.Duration) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(d.Milliseconds()))
	})
	if err != nil {
		return err
	}
	return failed
}
