// Package grpcserver serves gRPC as a part of a service, with what its HTTP
// servers have: metrics, request ids in the log, answers for handlers that
// panic, and an orderly stop; and with the standard health service. Start at [New].
//
// It is a package of its own so that only those who import it link gRPC.
package grpcserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"

	"github.com/kinectl/kinectl/service"
)

// Clients that say nothing, or are gone without a word, keep no connection
// longer than these. gRPC's own limits are two minutes and two hours.
const (
	handshakeLimit = 10 * time.Second
	silence        = 2 * time.Minute
	answerLimit    = 20 * time.Second // to the ping that follows the silence
)

// Server is a gRPC server for [service.Service.Listen]. Generated code
// registers itself on it like on the [grpc.Server] that is in it.
//
// A stop tells clients to go elsewhere and takes the calls that were on their way (GOAWAY, RFC 9113, 6.8),
// but it has to wait for those under way, up to SHUTDOWN_TIMEOUT. So a stream without an end of
// its own, like a subscription, should return when [service.Service.Context] is done, with codes.Unavailable.
type Server struct {
	*grpc.Server
	accepted accepted
}

// New makes the gRPC server of s. Its metrics are those of s, and shared with
// other servers of s:
//
//	grpc_server_handling_seconds{method,code}  histogram; code is like OK or NotFound
//	grpc_server_calls_in_flight
//	grpc_server_panics_total
//
// The health service (grpc.health.v1) answers what /ready does. options come
// after those of New: a limit given there holds, and interceptors of
// ChainUnaryInterceptor and ChainStreamInterceptor run inside of New's, so that they have the request's id.
// Without credentials among them there is no TLS.
func New(s *service.Service, options ...grpc.ServerOption) *Server { return newServer(s, options) }

// shell is what a server needs of its service.
type shell interface {
	Context() context.Context
	Log() *slog.Logger
	Metrics() prometheus.Registerer
	Ready(context.Context) error
}

func newServer(s shell, options []grpc.ServerOption) *Server {
	server := &Server{}
	calls := newCalls(s.Metrics(), s.Log(), func() map[string]grpc.ServiceInfo { return server.GetServiceInfo() })
	server.Server = grpc.NewServer(append([]grpc.ServerOption{
		grpc.ConnectionTimeout(handshakeLimit),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: silence, Timeout: answerLimit}),
		grpc.ChainUnaryInterceptor(calls.unary),
		grpc.ChainStreamInterceptor(calls.stream),
	}, options...)...)
	healthpb.RegisterHealthServer(server, &health{
		ready:    s.Ready,
		services: server.GetServiceInfo,
		stopping: s.Context().Done(),
	})
	return server
}

// Serve is for the service. It returns when l is closed, or with nil when the
// server was stopped.
func (s *Server) Serve(l net.Listener) error {
	if err := s.Server.Serve(&listener{Listener: l, accepted: &s.accepted}); !errors.Is(err, grpc.ErrServerStopped) {
		return err
	}
	return nil
}

// Announce is for the service, and does nothing: Shutdown tells the clients.
func (s *Server) Announce() {}

// Connections is for the service, which gives those that were just accepted a
// moment to begin before it calls Shutdown.
func (s *Server) Connections() int { return s.accepted.quiet() }

// Shutdown is for the service: it takes no new calls, and waits for those under
// way or until ctx is done. Connections that have said nothing are closed.
func (s *Server) Shutdown(ctx context.Context) error {
	s.accepted.close(false)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.GracefulStop()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for calls under way: %w", context.Cause(ctx))
	}
}

// Close is for the service: it breaks off what is under way.
func (s *Server) Close() error {
	s.accepted.close(true) // Stop waits for those that have begun to say hello
	s.Stop()
	return nil
}
