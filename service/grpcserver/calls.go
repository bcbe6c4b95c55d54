package grpcserver

import (
	"context"
	"log/slog"
	"runtime/debug"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/kinectl/kinectl/service"
)

// requestIDKey is the metadata of a call that has its id, both ways.
const requestIDKey = "x-request-id"

// calls is around every handler: it gives the call its id, counts it, and
// answers for a handler that panics.
type calls struct {
	metrics *metrics
	log     *slog.Logger
}

func (c *calls) unary(ctx context.Context, request any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (reply any, err error) {
	ctx = known(ctx)
	// An error means that the header was sent, which nothing before a handler does.
	_ = grpc.SetHeader(ctx, metadata.Pairs(requestIDKey, service.RequestID(ctx)))
	start := time.Now()
	c.metrics.inFlight.Inc()
	defer func() {
		if fault := recover(); fault != nil {
			reply, err = nil, c.panicked(ctx, info.FullMethod, fault)
		}
		c.end(ctx, info.FullMethod, start, err)
	}()
	return next(ctx, request)
}

func (c *calls) stream(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) (err error) {
	ctx := known(stream.Context())
	_ = stream.SetHeader(metadata.Pairs(requestIDKey, service.RequestID(ctx)))
	start := time.Now()
	c.metrics.inFlight.Inc()
	defer func() {
		if fault := recover(); fault != nil {
			err = c.panicked(ctx, info.FullMethod, fault)
		}
		c.end(ctx, info.FullMethod, start, err)
	}()
	return next(server, &knownStream{stream, ctx})
}

// known is the context of a call that the log knows.
func known(ctx context.Context) context.Context {
	return service.WithRequest(ctx, first(ctx, requestIDKey), first(ctx, "traceparent"))
}

func first(ctx context.Context, key string) string {
	if values := metadata.ValueFromIncomingContext(ctx, key); len(values) > 0 {
		return values[0]
	}
	return ""
}

// knownStream is a stream whose context the log knows.
type knownStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s *knownStream) Context() context.Context { return s.ctx }

// panicked tells the client nothing of what happened.
func (c *calls) panicked(ctx context.Context, method string, fault any) error {
	c.metrics.panics.Inc()
	c.log.LogAttrs(ctx, slog.LevelError, "handler panicked", slog.Any("panic", fault), slog.String("method", method),
		slog.String("stack", string(debug.Stack())))
	return status.Error(codes.Internal, "internal error")
}

// end counts the call. The log gets those that the service failed; at the level
// debug all of them.
func (c *calls) end(ctx context.Context, method string, start time.Time, err error) {
	defer c.metrics.inFlight.Dec()
	took := time.Since(start)
	code := codeOf(err)
	c.metrics.answered(method, code, took)
	level := slog.LevelDebug
	if ours(code) {
		level = slog.LevelWarn
	}
	if !c.log.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{slog.String("method", method), slog.String("code", code.String()), slog.Duration("took", took)}
	if err != nil {
		attrs = append(attrs, slog.Any("error", err))
	}
	if p, ok := peer.FromContext(ctx); ok {
		attrs = append(attrs, slog.String("client", p.Addr.String()))
	}
	c.log.LogAttrs(ctx, level, "call", attrs...)
}

// codeOf is the code that grpc sends for an error of a handler: that of a
// status, or of a context that is done, and Unknown for any other.
func codeOf(err error) codes.Code {
	if s, ok := status.FromError(err); ok {
		return s.Code()
	}
	return status.FromContextError(err).Code()
}

// ours tells the codes by which a server says that it is at fault
// (github.com/grpc/grpc, doc/statuscodes.md). Unavailable is what streams end with when the service stops.
func ours(code codes.Code) bool {
	return code == codes.Unknown || code == codes.Internal || code == codes.DataLoss || code == codes.Unimplemented
}
