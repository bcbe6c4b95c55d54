package server

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
)

// firstHanded is the descriptor of the first socket that systemd hands over
// (sd_listen_fds(3)).
const firstHanded = 3

// Listen listens on a TCP address. Where systemd holds a socket of that port
// for this process, it takes that one, so that the port goes on answering
// while the service restarts.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	count, _ := strconv.Atoi(os.Getenv("LISTEN_FDS"))
	if os.Getenv("LISTEN_PID") != strconv.Itoa(os.Getpid()) {
		count = 0
	}
	_, port, _ := net.SplitHostPort(address)
	for fd := firstHanded; fd < firstHanded+count; fd++ {
		l, err := net.FileListener(os.NewFile(uintptr(fd), "socket")) // a copy, which closes on exec
		if err != nil {
			continue // a socket of another kind
		}
		if _, handed, _ := net.SplitHostPort(l.Addr().String()); handed == port {
			return l, nil
		}
		l.Close()
	}
	var config net.ListenConfig
	return config.Listen(ctx, "tcp", address)
}

// notify tells systemd how far the service is (sd_notify(3)). Without a
// NOTIFY_SOCKET nobody wants to know.
func notify(state string) error {
	address := os.Getenv("NOTIFY_SOCKET")
	if address == "" {
		return nil
	}
	c, err := net.Dial("unixgram", address)
	if err == nil {
		_, err = c.Write([]byte(state))
		c.Close()
	}
	if err != nil {
		return fmt.Errorf("notify systemd of %s: %w", state, err)
	}
	return nil
}
