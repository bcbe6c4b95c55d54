package grpcserver

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// The shell looks for these, and gives time to those that have just come.
var _ interface {
	Announce()
	Connections() int
} = (*Server)(nil)

// becomes waits until so many connections have said nothing.
func (r *running) becomes(t *testing.T, want int) {
	t.Helper()
	for end := time.Now().Add(long); r.Connections() != want; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d connections, want %d", r.Connections(), want)
		}
	}
}

// TestSilence counts connections until they say something, and a stop does not wait for those
// that never do.
func TestSilence(t *testing.T) {
	r := start(t)
	dial := func() net.Conn {
		t.Helper()
		c, err := net.Dial("tcp", r.listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	silent, gone := dial(), dial()
	r.becomes(t, 2)
	gone.Close()
	r.becomes(t, 1)
	if _, err := r.client.UnaryCall(t.Context(), request("")); err != nil {
		t.Fatal(err)
	}
	r.becomes(t, 1) // the client's has spoken

	r.listener.Close()
	<-r.served
	ctx, cancel := context.WithTimeout(t.Context(), handshakeLimit/2)
	defer cancel()
	if err := r.Shutdown(ctx); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	_ = silent.SetReadDeadline(time.Now().Add(long))
	if _, err := io.Copy(io.Discard, silent); errors.Is(err, os.ErrDeadlineExceeded) { // what is read is the server's hello
		t.Errorf("the silent connection is open: %v", err)
	}
}

// TestHalfAHello: Close does not wait for a connection that stopped in the middle of its hello.
func TestHalfAHello(t *testing.T) {
	r := start(t)
	c, err := net.Dial("tcp", r.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	r.becomes(t, 1)
	if _, err := io.WriteString(c, "PRI"); err != nil {
		t.Fatal(err)
	}
	r.becomes(t, 0)
	answered := make(chan error, 1)
	go func() {
		_, err := r.client.UnaryCall(t.Context(), request("wait"))
		answered <- err
	}()
	<-r.tester.began
	begin := time.Now()
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took > handshakeLimit/2 {
		t.Errorf("Close took %s", took)
	}
	if err := <-answered; status.Code(err) != codes.Unavailable {
		t.Errorf("the call that was broken off: %v", err)
	}
}
