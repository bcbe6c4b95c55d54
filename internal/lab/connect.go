package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"syscall"
	"time"
)

// Connect dials a host's port from inside a lab's network and passes the
// connected socket over out, which must be a unix socket: what ssh(1) wants of a
// ProxyCommand with ProxyUseFdpass. Afterwards no byte passes through us. The
// address must be numeric.
func Connect(ctx context.Context, name, address string, port int, out *os.File) error {
	if err := CheckName(name); err != nil {
		return err
	}
	if _, err := netip.ParseAddr(address); err != nil {
		return fmt.Errorf("connect to lab %s: %w", name, err)
	}
	conn, err := dialIn(ctx, net.Dialer{Timeout: 10 * time.Second}, labNetns(name), net.JoinHostPort(address, strconv.Itoa(port)))
	if err != nil {
		return fmt.Errorf("connect to lab %s: %w", name, err)
	}
	defer conn.Close()
	socket, err := conn.(*net.TCPConn).File()
	if err != nil {
		return fmt.Errorf("connect to lab %s: %w", name, err)
	}
	defer socket.Close()
	// One byte must go with the descriptor, or the kernel sends neither.
	err = syscall.Sendmsg(int(out.Fd()), []byte{0}, syscall.UnixRights(int(socket.Fd())), nil, 0)
	if errors.Is(err, syscall.ENOTSOCK) {
		return errors.New("standard output is no unix socket: this verb is for ssh's ProxyCommand with ProxyUseFdpass=yes")
	}
	if err != nil {
		return fmt.Errorf("pass the connection on: %w", err)
	}
	return nil
}
