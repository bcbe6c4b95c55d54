package service

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// httpServer is net/http's as a [Server]: HTTP/1.1, and HTTP/2 without TLS for
// clients that begin with it (RFC 9113, 3.3). It has no limit for a whole
// request or answer, which only the handler can know: see [http.ResponseController].
type httpServer struct {
	server      *http.Server
	metrics     *requestMetrics
	connections atomic.Int64
	silent      sync.Map // the connections (net.Conn) that have not had a request yet
	ending      atomic.Bool
}

func newHTTPServer(h http.Handler, metrics *requestMetrics, log *slog.Logger) *httpServer {
	s := &httpServer{metrics: metrics}
	s.server = bareServer(&observed{next: h, metrics: metrics, log: log, ending: &s.ending}, log)
	s.server.ConnState = s.count
	return s
}

func (s *httpServer) Serve(l net.Listener) error { return s.server.Serve(l) }
func (s *httpServer) Close() error               { return s.server.Close() }

// Shutdown returns when every connection is closed and every handler has returned, also
// of those that were hijacked. net/http's own closes what is idle, but it
// gives connections without a request five seconds, only to drop the request then, and it looks
// every half a second in the end.
func (s *httpServer) Shutdown(ctx context.Context) error {
	for c := range s.silent.Range {
		_ = c.(net.Conn).Close()
	}
	idle, enough := context.WithCancel(ctx)
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		_ = s.server.Shutdown(idle) // its error is that of idle
	}()
	defer func() { enough(); <-closed }()

	again := time.NewTicker(2 * time.Millisecond)
	defer again.Stop()
	for s.Connections() > 0 || s.metrics.inFlight.Load() > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-again.C:
		}
	}
	return nil
}

// Announce does not close idle connections, as SetKeepAlivesEnabled would: a
// request may be on its way on any of them.
func (s *httpServer) Announce()        { s.ending.Store(true) }
func (s *httpServer) Connections() int { return int(s.connections.Load()) }

func (s *httpServer) count(c net.Conn, state http.ConnState) {
	change := int64(0)
	switch state {
	case http.StateNew:
		change = 1
		s.silent.Store(c, nil)
	case http.StateClosed, http.StateHijacked:
		change = -1
		s.silent.Delete(c)
	default: // once or twice a request
		s.silent.Delete(c)
		return
	}
	s.connections.Add(change)
	s.metrics.connections.Add(change)
}

// bareServer is the net/http server that both ports have.
func bareServer(h http.Handler, log *slog.Logger) *http.Server {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler:           h,
		Protocols:         &protocols,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}
