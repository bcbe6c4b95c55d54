package service

import (
	"context"
	"log/slog"
	"net"
	"net/http"
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
	ending      atomic.Bool
}

func newHTTPServer(h http.Handler, metrics *requestMetrics, log *slog.Logger) *httpServer {
	s := &httpServer{metrics: metrics}
	s.server = bareServer(&observed{next: h, metrics: metrics, log: log, ending: &s.ending}, log)
	s.server.ConnState = s.count
	return s
}

func (s *httpServer) Serve(l net.Listener) error         { return s.server.Serve(l) }
func (s *httpServer) Shutdown(ctx context.Context) error { return s.server.Shutdown(ctx) }
func (s *httpServer) Close() error                       { return s.server.Close() }

// Announce does not close idle connections, as SetKeepAlivesEnabled would: a
// request may be on its way on any of them.
func (s *httpServer) Announce()        { s.ending.Store(true) }
func (s *httpServer) Connections() int { return int(s.connections.Load()) }

func (s *httpServer) count(_ net.Conn, state http.ConnState) {
	change := int64(0)
	switch state {
	case http.StateNew:
		change = 1
	case http.StateClosed, http.StateHijacked:
		change = -1
	default:
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
