package grpcserver

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	grpchealth "google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"
)

// short is for what must not happen, long for what must.
const (
	short = 200 * time.Millisecond
	long  = 20 * time.Second
)

// TestStop does what the shell does: the listener is closed, Serve returns,
// and Shutdown waits for the call under way.
func TestStop(t *testing.T) {
	r := start(t)
	answered := make(chan error, 1)
	go func() {
		_, err := r.client.UnaryCall(t.Context(), request("wait"))
		answered <- err
	}()
	<-r.tester.began
	r.listener.Close()
	if err := <-r.served; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve returned %v", err)
	}
	stopped := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(t.Context(), long)
		defer cancel()
		stopped <- r.Shutdown(ctx)
	}()
	select {
	case err := <-stopped:
		t.Errorf("Shutdown returned %v before the call was answered", err)
	case <-time.After(short):
	}
	close(r.tester.goOn)
	if err := <-answered; err != nil {
		t.Errorf("the call under way: %v", err)
	}
	if err := <-stopped; err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if err := r.Serve(r.listener); err != nil {
		t.Errorf("Serve after the stop: %v", err)
	}
}

// TestStopInTime holds that a call which does not end is broken off by Close
// when Shutdown's time is over.
func TestStopInTime(t *testing.T) {
	r := start(t)
	answered := make(chan error, 1)
	go func() {
		_, err := r.client.UnaryCall(t.Context(), request("wait"))
		answered <- err
	}()
	<-r.tester.began
	ctx, cancel := context.WithTimeout(t.Context(), short)
	defer cancel()
	if err := r.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown: %v, want %v", err, context.DeadlineExceeded)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if err := <-answered; status.Code(err) != codes.Unavailable && status.Code(err) != codes.Canceled {
		t.Errorf("the call that was broken off: %v", err)
	}
}

// TestStopWithStreams holds that those who watch the health, and subscriptions
// that look at the service's context, do not delay the stop.
func TestStopWithStreams(t *testing.T) {
	r := start(t)
	watch, err := r.health.Watch(t.Context(), &healthpb.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if state, err := watch.Recv(); err != nil || state.GetStatus() != healthpb.HealthCheckResponse_SERVING {
		t.Fatalf("%v, %v", state, err)
	}
	subscription, err := r.client.StreamingOutputCall(t.Context(), &pb.StreamingOutputCallRequest{Payload: &pb.Payload{Body: []byte("subscribe")}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := subscription.Recv(); err != nil {
		t.Fatal(err)
	}
	r.stop()
	if state, err := watch.Recv(); err != nil || state.GetStatus() != healthpb.HealthCheckResponse_NOT_SERVING {
		t.Errorf("after the stop began %v, %v", state, err)
	}
	if _, err := watch.Recv(); status.Code(err) != codes.Unavailable {
		t.Errorf("the watch ends with %v", err)
	}
	if _, err := subscription.Recv(); status.Code(err) != codes.Unavailable {
		t.Errorf("the subscription ends with %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()
	if err := r.Shutdown(ctx); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}

// TestOwnHealthIsNeeded is the control: somebody who watches gRPC's own health
// service holds a stop up until its time is over.
func TestOwnHealthIsNeeded(t *testing.T) {
	own := grpchealth.NewServer()
	ctx, cancel := context.WithCancel(t.Context())
	stuck := &stuckWatch{ctx: ctx, sent: make(chan struct{}, 2)}
	ended := make(chan error, 1)
	go func() { ended <- own.Watch(&healthpb.HealthCheckRequest{}, stuck) }()
	<-stuck.sent
	own.Shutdown()
	<-stuck.sent // NOT_SERVING
	select {
	case err := <-ended:
		t.Errorf("gRPC's own Watch has ended with %v: this package's is needed no more", err)
	case <-time.After(short):
	}
	cancel()
	<-ended
}

// stuckWatch is a stream whose client goes on listening.
type stuckWatch struct {
	healthpb.Health_WatchServer
	ctx  context.Context
	sent chan struct{}
}

func (s *stuckWatch) Context() context.Context                 { return s.ctx }
func (s *stuckWatch) Send(*healthpb.HealthCheckResponse) error { s.sent <- struct{}{}; return nil }

// TestHealth holds that the health service says what the service's readiness is.
func TestHealth(t *testing.T) {
	r := start(t)
	f := func(name string, ready error, want healthpb.HealthCheckResponse_ServingStatus, code codes.Code) {
		t.Helper()
		r.fakeShell.ready.Store(&ready)
		got, err := r.health.Check(t.Context(), &healthpb.HealthCheckRequest{Service: name})
		if got.GetStatus() != want || status.Code(err) != code {
			t.Errorf("%q: %v, %v, want %v, %v", name, got.GetStatus(), err, want, code)
		}
	}
	away := errors.New("the database is away")
	f("", nil, healthpb.HealthCheckResponse_SERVING, codes.OK)
	f("", away, healthpb.HealthCheckResponse_NOT_SERVING, codes.OK)
	f("grpc.testing.TestService", nil, healthpb.HealthCheckResponse_SERVING, codes.OK)
	f("grpc.testing.TestService", away, healthpb.HealthCheckResponse_NOT_SERVING, codes.OK)
	f("films.Films", nil, healthpb.HealthCheckResponse_UNKNOWN, codes.NotFound)

	r.fakeShell.ready.Store(nil)
	all, err := r.health.List(t.Context(), &healthpb.HealthListRequest{})
	if err != nil || len(all.GetStatuses()) != 3 || all.GetStatuses()["grpc.health.v1.Health"].GetStatus() != healthpb.HealthCheckResponse_SERVING {
		t.Errorf("%v, %v", all, err)
	}
	unknown, err := r.health.Watch(t.Context(), &healthpb.HealthCheckRequest{Service: "films.Films"})
	if err != nil {
		t.Fatal(err)
	}
	if state, err := unknown.Recv(); err != nil || state.GetStatus() != healthpb.HealthCheckResponse_SERVICE_UNKNOWN {
		t.Errorf("%v, %v", state, err)
	}
	r.stop()
	if _, err := unknown.Recv(); status.Code(err) != codes.Unavailable || errors.Is(err, io.EOF) {
		t.Error(err)
	}
	f("", nil, healthpb.HealthCheckResponse_NOT_SERVING, codes.OK)
}
