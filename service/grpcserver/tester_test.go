package grpcserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	"github.com/kinectl/kinectl/service"
)

// fakeShell is a service that is not run.
type fakeShell struct {
	stopping context.Context
	stop     context.CancelFunc
	registry *prometheus.Registry
	log      bytes.Buffer
	ready    atomic.Pointer[error]
}

func newFakeShell() *fakeShell {
	f := &fakeShell{registry: prometheus.NewRegistry()}
	f.stopping, f.stop = context.WithCancel(context.Background())
	return f
}

func (f *fakeShell) Context() context.Context       { return f.stopping }
func (f *fakeShell) Metrics() prometheus.Registerer { return f.registry }
func (f *fakeShell) Ready(context.Context) error {
	if err := f.ready.Load(); err != nil {
		return *err
	}
	return nil
}

func (f *fakeShell) Log() *slog.Logger {
	return slog.New(slog.NewTextHandler(&f.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// count is the value of a series, like "name{code,method}"; of a histogram it
// is the number of observations.
func (f *fakeShell) count(t *testing.T, series string) float64 {
	t.Helper()
	families, err := f.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetValue())
			}
			if fmt.Sprintf("%s{%s}", family.GetName(), strings.Join(labels, ",")) == series {
				return float64(m.GetHistogram().GetSampleCount()) + m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return 0
}

// tester is a service with every kind of handler. What a call does is the body
// of its request.
type tester struct {
	pb.UnimplementedTestServiceServer
	began, goOn chan struct{} // of a call that waits
	stopping    <-chan struct{}
}

func (s *tester) UnaryCall(ctx context.Context, r *pb.SimpleRequest) (*pb.SimpleResponse, error) {
	switch string(r.GetPayload().GetBody()) {
	case "panic":
		panic("secret thoughts")
	case "fail":
		return nil, errors.New("the disk is full")
	case "refuse":
		return nil, status.Error(codes.NotFound, "no such film")
	case "invent":
		return nil, status.Error(codes.Code(4711), "a code of its own")
	case "late":
		return nil, fmt.Errorf("ask the database: %w", context.DeadlineExceeded)
	case "wait":
		s.began <- struct{}{}
		select {
		case <-s.goOn:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return &pb.SimpleResponse{Username: service.RequestID(ctx), OauthScope: service.TraceID(ctx)}, nil
}

func (s *tester) StreamingOutputCall(r *pb.StreamingOutputCallRequest, stream pb.TestService_StreamingOutputCallServer) error {
	id := []byte(service.RequestID(stream.Context()))
	if err := stream.Send(&pb.StreamingOutputCallResponse{Payload: &pb.Payload{Body: id}}); err != nil {
		return err
	}
	switch string(r.GetPayload().GetBody()) {
	case "panic":
		panic("secret thoughts")
	case "subscribe":
		select {
		case <-s.stopping:
			return status.Error(codes.Unavailable, "the service stops")
		case <-stream.Context().Done():
		}
	}
	return nil
}

// running is a server on a port of its own, and a client.
type running struct {
	*fakeShell
	*Server
	tester   *tester
	listener net.Listener
	served   chan error
	client   pb.TestServiceClient
	health   healthpb.HealthClient
}

func start(t *testing.T, options ...grpc.ServerOption) *running {
	t.Helper()
	goleak.VerifyNone(t)
	r := &running{fakeShell: newFakeShell(), served: make(chan error, 1)}
	r.Server = newServer(r.fakeShell, options)
	r.tester = &tester{began: make(chan struct{}, 1), goOn: make(chan struct{}), stopping: r.stopping.Done()}
	pb.RegisterTestServiceServer(r.Server, r.tester)
	var err error
	if r.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	go func() { r.served <- r.Serve(r.listener) }()
	conn, err := grpc.NewClient(r.listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	r.client, r.health = pb.NewTestServiceClient(conn), healthpb.NewHealthClient(conn)
	t.Cleanup(func() {
		conn.Close()
		_ = r.Close()
		goleak.VerifyNone(t)
	})
	return r
}

func request(body string) *pb.SimpleRequest {
	return &pb.SimpleRequest{Payload: &pb.Payload{Body: []byte(body)}}
}

// settle waits until what was answered is counted, which is after the
// client has it.
func (r *running) settle(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); r.count(t, "grpc_server_calls_in_flight{}") != 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("calls are in flight for ever")
		}
	}
}
