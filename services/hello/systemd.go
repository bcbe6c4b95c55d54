package main

import (
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// firstHanded is the descriptor of the first socket that systemd hands over
// (sd_listen_fds(3)).
const firstHanded = 3

// handedOver returns a listen that takes the socket of the wanted port which
// systemd holds for this process, when there is one, so that the port goes on
// answering while the service restarts.
func handedOver(listen func(network, address string) (net.Listener, error)) func(network, address string) (net.Listener, error) {
	return func(network, address string) (net.Listener, error) {
		count, _ := strconv.Atoi(os.Getenv("LISTEN_FDS"))
		if os.Getenv("LISTEN_PID") != strconv.Itoa(os.Getpid()) {
			count = 0
		}
		_, port, _ := net.SplitHostPort(address)
		for fd := firstHanded; fd < firstHanded+count; fd++ {
			l, err := net.FileListener(os.NewFile(uintptr(fd), "socket"))
			if err != nil {
				continue // a socket of another kind
			}
			if _, handed, _ := net.SplitHostPort(l.Addr().String()); handed == port {
				return l, nil
			}
			l.Close()
		}
		if strings.HasPrefix(address, "/") {
			network = "unix" // of the instance that answers while the other one restarts
		}
		return listen(network, address)
	}
}

// notify tells systemd how far the service is (sd_notify(3)). Without a
// NOTIFY_SOCKET nobody wants to know.
func notify(state string) {
	address := os.Getenv("NOTIFY_SOCKET")
	if address == "" {
		return
	}
	c, err := net.Dial("unixgram", address)
	if err != nil {
		logf("error", "notify systemd: %v", err)
		return
	}
	defer c.Close()
	if _, err := c.Write([]byte(state)); err != nil {
		logf("error", "notify systemd: %v", err)
	}
}

// stopAccepting lets the listeners go while what they had taken already is
// still served. Where systemd holds the socket, those who come now wait in its
// queue for the next process. Without the pause a connection that was taken in
// the same moment would be closed unanswered; it ends when none is open.
func stopAccepting(servers []*http.Server, listeners []net.Listener, open *connections) {
	for _, s := range servers {
		s.SetKeepAlivesEnabled(false)
	}
	for _, l := range listeners {
		l.Close()
	}
	for range 15 {
		if time.Sleep(20 * time.Millisecond); open.Load() <= 0 {
			return
		}
	}
}

// connections counts those that are open. It may be followed by many servers
// at once.
type connections struct{ atomic.Int64 }

// follow is for ConnState of http.Server.
func (c *connections) follow(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		c.Add(1)
	case http.StateClosed, http.StateHijacked:
		c.Add(-1)
	}
}

// unlessDrained answers 503 while the marker says that the host is out of
// traffic.
func unlessDrained(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if _, err := os.Stat(setting("RUNTIME_DIRECTORY", "/run/"+name) + "/drain"); err == nil {
			http.Error(w, "drained", http.StatusServiceUnavailable)
			return
		}
		h(w, r)
	}
}
