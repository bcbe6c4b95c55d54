package service

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// serving is a [Server] at work on its listener.
type serving struct {
	name     string
	listener net.Listener
	server   Server
	ended    chan struct{} // closed when Serve has returned
	err      error         // of Serve; to be read when ended is closed
}

// serve starts the server. Its end before [drain] is a failure.
func serve(name string, listener net.Listener, server Server) *serving {
	s := &serving{name: name, listener: listener, server: server, ended: make(chan struct{})}
	go func() {
		defer close(s.ended)
		err := server.Serve(listener)
		if !errors.Is(err, net.ErrClosed) && !errors.Is(err, http.ErrServerClosed) {
			s.err = err
		}
	}()
	return s
}

// announcer is a [Server] that needs time between its listener's end and Shutdown.
type announcer interface {
	Announce()        // clients are to learn from now on that it stops
	Connections() int // that may bring a request which Shutdown would lose
}

// drainPause is the time for clients to use connections once more that they
// have: those of HTTP/1.1 learn only from an answer that theirs ends, and a
// request may be on its way on one that was just accepted, of any protocol.
const drainPause = 300 * time.Millisecond

// lingerLook is how often it looks whether there are any left.
const lingerLook = 2 * time.Millisecond

// drain ends servers so that no request is lost. http.Server.Shutdown alone
// drops what was accepted and not yet read: it looks whether it is shutting
// down after it has read a request. So the order is: announce; close the
// listeners; wait until nothing more is accepted; leave time to send and ask what
// is under way; and only then Shutdown, within what ctx has left. What is not
// answered then is closed, and is the error.
//
// Connections that wait in the queue of a socket are lost when its last holder
// closes it. systemd's sockets are held by systemd, and the next process takes the queue over.
func drain(ctx context.Context, pause time.Duration, all []*serving) error {
	for _, s := range all {
		if a, ok := s.server.(announcer); ok {
			a.Announce()
		}
	}
	for _, s := range all {
		_ = s.listener.Close()
	}
	for _, s := range all {
		select {
		case <-s.ended:
		case <-ctx.Done():
		}
	}
	linger(ctx, pause, all)

	faults := make([]error, len(all))
	var wg sync.WaitGroup
	for i, s := range all {
		wg.Go(func() {
			err := s.server.Shutdown(ctx)
			if err == nil {
				return
			}
			faults[i] = fmt.Errorf("stop %s: %w", s.name, err)
			if err := s.server.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
				faults[i] = errors.Join(faults[i], fmt.Errorf("close %s: %w", s.name, err))
			}
		})
	}
	wg.Wait()
	return errors.Join(faults...)
}

// linger waits for the pause, or until no connection is open. It counts its looks and
// not the time: a machine that stood still meanwhile has left its clients none of it.
func linger(ctx context.Context, pause time.Duration, all []*serving) {
	again := time.NewTicker(lingerLook)
	defer again.Stop()
	for range pause / lingerLook {
		open := 0
		for _, s := range all {
			if a, ok := s.server.(announcer); ok {
				open += a.Connections()
			}
		}
		if open == 0 {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-again.C:
		}
	}
}
