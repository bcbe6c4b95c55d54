package grpcserver

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// TestCodes holds what a client sees of a handler's end, and what is counted
// and logged of it.
func TestCodes(t *testing.T) {
	r := start(t)
	f := func(body string, want codes.Code, logged string) {
		t.Helper()
		r.log.Reset()
		counted := want.String()
		if want > codes.Unauthenticated {
			counted = "Unknown"
		}
		series := "grpc_server_handling_seconds{" + counted + ",/grpc.testing.TestService/UnaryCall}"
		before := r.count(t, series)
		_, err := r.client.UnaryCall(t.Context(), request(body))
		if status.Code(err) != want {
			t.Errorf("%q: %v, want %v", body, err, want)
		}
		if strings.Contains(fmt.Sprint(err), "secret") {
			t.Errorf("%q tells the client: %v", body, err)
		}
		r.settle(t)
		if got := r.count(t, series) - before; got != 1 {
			t.Errorf("%q: %s counted %v times", body, series, got)
		}
		if log := r.log.String(); !strings.Contains(log, logged) {
			t.Errorf("%q: the log has %q, want %q", body, log, logged)
		}
	}
	f("", codes.OK, "level=DEBUG msg=call method=/grpc.testing.TestService/UnaryCall code=OK")
	f("refuse", codes.NotFound, "level=DEBUG msg=call method=/grpc.testing.TestService/UnaryCall code=NotFound")
	f("fail", codes.Unknown, `error="the disk is full"`)
	f("invent", codes.Code(4711), "level=DEBUG")
	f("late", codes.DeadlineExceeded, "code=DeadlineExceeded")
	f("panic", codes.Internal, `level=ERROR msg="handler panicked" panic="secret thoughts" method=/grpc.testing.TestService/UnaryCall stack="goroutine`)
	if got := r.count(t, "grpc_server_panics_total{}"); got != 1 {
		t.Errorf("%v panics counted", got)
	}
	// What the generated code answers itself is a call of no handler of ours.
	if _, err := r.client.EmptyCall(t.Context(), &pb.Empty{}); status.Code(err) != codes.Unimplemented {
		t.Error(err)
	}
}

func TestStreams(t *testing.T) {
	r := start(t)
	f := func(body string, want codes.Code) {
		t.Helper()
		ctx := metadata.AppendToOutgoingContext(t.Context(), "x-request-id", "abc-1")
		stream, err := r.client.StreamingOutputCall(ctx, &pb.StreamingOutputCallRequest{Payload: &pb.Payload{Body: []byte(body)}})
		if err != nil {
			t.Fatal(err)
		}
		if first, err := stream.Recv(); err != nil || string(first.GetPayload().GetBody()) != "abc-1" {
			t.Errorf("%q: %v, %v", body, first, err)
		}
		if header, err := stream.Header(); err != nil || strings.Join(header.Get("x-request-id"), " ") != "abc-1" {
			t.Errorf("%q: header %v, %v", body, header, err)
		}
		if _, err := stream.Recv(); status.Code(err) != want && !(want == codes.OK && err == io.EOF) {
			t.Errorf("%q ends with %v, want %v", body, err, want)
		}
		r.settle(t)
		if got := r.count(t, "grpc_server_handling_seconds{"+want.String()+",/grpc.testing.TestService/StreamingOutputCall}"); got != 1 {
			t.Errorf("%q: counted %v times", body, got)
		}
	}
	f("", codes.OK)
	f("panic", codes.Internal)
}

// TestRequestID holds that a good id of the client is kept, and another one
// is replaced.
func TestRequestID(t *testing.T) {
	r := start(t)
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	f := func(given, want string) {
		t.Helper()
		ctx := metadata.AppendToOutgoingContext(t.Context(), "x-request-id", given, "traceparent", "00-"+trace+"-00f067aa0ba902b7-01")
		var header metadata.MD
		got, err := r.client.UnaryCall(ctx, request(""), grpc.Header(&header))
		if err != nil {
			t.Fatal(err)
		}
		id := got.GetUsername()
		if want != "" && id != want || want == "" && (id == given || len(id) != 16) {
			t.Errorf("%q became %q, want %q", given, id, want)
		}
		if strings.Join(header.Get("x-request-id"), " ") != id || got.GetOauthScope() != trace {
			t.Errorf("header %v, trace %q", header, got.GetOauthScope())
		}
	}
	f("abc-1", "abc-1")
	f("", "")
	f("a b", "")
	f(strings.Repeat("a", 1000), "")
}

// TestMadeUpMethods holds that clients cannot make series.
func TestMadeUpMethods(t *testing.T) {
	r := start(t, grpc.UnknownServiceHandler(func(any, grpc.ServerStream) error { return status.Error(codes.Unimplemented, "what?") }))
	conn, err := grpc.NewClient(r.listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for n := range 20 {
		if err := conn.Invoke(t.Context(), fmt.Sprintf("/made.up/M%d", n), &pb.Empty{}, &pb.Empty{}); status.Code(err) != codes.Unimplemented {
			t.Fatal(err)
		}
	}
	r.settle(t)
	if got := r.count(t, "grpc_server_handling_seconds{Unimplemented,other}"); got != 20 {
		t.Errorf("%v of 20 counted as other", got)
	}
}

// TestTwoServers holds that two servers of a service share its metrics, and
// that somebody else's metric of the same name is found at the start.
func TestTwoServers(t *testing.T) {
	shell := newFakeShell()
	newServer(shell, nil)
	newServer(shell, nil)

	shell = newFakeShell()
	shell.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "grpc_server_panics_total", Help: "Handlers that panicked."}, func() float64 { return 1 }))
	defer func() {
		if recover() == nil {
			t.Error("another's metric was taken for ours")
		}
	}()
	newServer(shell, nil)
}

// TestMany is for the race detector.
func TestMany(t *testing.T) {
	r := start(t)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			for _, body := range []string{"", "fail", "refuse", "panic"} {
				_, _ = r.client.UnaryCall(t.Context(), request(body))
			}
		})
	}
	wg.Wait()
	r.settle(t)
	if got := r.count(t, "grpc_server_panics_total{}"); got != 20 {
		t.Errorf("%v of 20 panics counted", got)
	}
}
