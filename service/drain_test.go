package service

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func newServing(t *testing.T, h http.HandlerFunc) *serving {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := serve("http", l, newHTTPServer(h, newRequestMetrics(prometheus.NewRegistry()), slog.New(slog.DiscardHandler)))
	t.Cleanup(func() { _ = s.server.Close(); _ = l.Close(); <-s.ended })
	return s
}

// TestDrainIdle does not wait for nobody.
func TestDrainIdle(t *testing.T) {
	s := newServing(t, func(http.ResponseWriter, *http.Request) {})
	if err := drain(t.Context(), time.Hour, []*serving{s}); err != nil {
		t.Error(err)
	}
	<-s.ended
	if s.err != nil {
		t.Error(s.err)
	}
}

// TestAnnounced uses a connection once more that was idle when the stop began.
func TestAnnounced(t *testing.T) {
	s := newServing(t, work)
	c := &connection{address: s.listener.Addr().String(), method: "POST", keep: true}
	if err := c.ask(); err != nil || c.conn == nil {
		t.Fatalf("the first: %v, connection %v", err, c.conn)
	}
	s.server.(announcer).Announce()
	if err := c.ask(); err != nil || c.conn != nil {
		t.Errorf("the second: %v; want an answer, and that it ends the connection", err)
	}
}

// TestDrainAnswers stops in the middle of a request, which is then answered and
// told that its connection ends.
func TestDrainAnswers(t *testing.T) {
	for _, major := range []int{1, 2} {
		asked, answer := make(chan struct{}), make(chan struct{})
		s := newServing(t, func(w http.ResponseWriter, _ *http.Request) {
			close(asked)
			<-answer
			_, _ = io.WriteString(w, "whole")
		})
		var protocols http.Protocols
		protocols.SetHTTP1(major == 1)
		protocols.SetUnencryptedHTTP2(major == 2)
		transport := &http.Transport{Protocols: &protocols}
		got := make(chan error, 1)
		go func() {
			r, _ := http.NewRequest("POST", "http://"+s.listener.Addr().String(), nil)
			response, err := transport.RoundTrip(r)
			if err == nil {
				var body []byte
				body, err = io.ReadAll(response.Body)
				response.Body.Close()
				if string(body) != "whole" || major == 1 && !response.Close {
					err = errors.Join(err, errors.New(string(body)))
				}
			}
			got <- err
		}()
		<-asked
		drained := make(chan error, 1)
		go func() { drained <- drain(t.Context(), 10*time.Millisecond, []*serving{s}) }()
		<-s.ended
		select {
		case err := <-drained:
			t.Fatalf("drained with a request under way: %v", err)
		case <-time.After(50 * time.Millisecond):
		}
		close(answer)
		if err := <-got; err != nil {
			t.Errorf("HTTP/%d: %v", major, err)
		}
		if err := <-drained; err != nil {
			t.Errorf("HTTP/%d: %v", major, err)
		}
	}
}

// TestDrainLimit has a request that does not end: it is cut off, and said so.
func TestDrainLimit(t *testing.T) {
	asked, gone := make(chan struct{}), make(chan struct{})
	s := newServing(t, func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
		close(gone)
	})
	go func() {
		r, _ := http.NewRequest("GET", "http://"+s.listener.Addr().String(), nil)
		if response, err := (&http.Transport{}).RoundTrip(r); err == nil {
			response.Body.Close()
			t.Error("an answer")
		}
	}()
	<-asked
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	err := drain(ctx, drainPause, []*serving{s})
	if !errors.Is(err, context.DeadlineExceeded) || err.Error() != "stop http: context deadline exceeded" {
		t.Errorf("%v", err)
	}
	<-gone
}

// TestServeFails gives the error of a server that ends by itself.
func TestServeFails(t *testing.T) {
	s := serve("broken", nil, brokenServer{})
	<-s.ended
	if s.err == nil || s.err.Error() != "broken" {
		t.Error(s.err)
	}
}

type brokenServer struct{ Server }

func (brokenServer) Serve(net.Listener) error { return errors.New("broken") }
