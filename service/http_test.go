package service

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// The tests of this file measure stops with a clock that only waiting moves on,
// so connections are pipes.

// pipes is a listener; dial gives the client's end.
type pipes struct {
	accept chan net.Conn
	closed chan struct{}
	close  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.accept:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { p.close.Do(func() { close(p.closed) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

func (p *pipes) dial() net.Conn {
	client, server := net.Pipe()
	p.accept <- server
	return client
}

func servePipes(h http.HandlerFunc) (*pipes, []*serving) {
	p := &pipes{accept: make(chan net.Conn), closed: make(chan struct{})}
	server := newHTTPServer(h, newRequestMetrics(prometheus.NewRegistry()), slog.New(slog.DiscardHandler))
	return p, []*serving{serve("http", p, server)}
}

// took is the time of a stop.
func took(t *testing.T, limit time.Duration, all []*serving) (time.Duration, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	begin := time.Now()
	err := drain(ctx, drainPause, all)
	return time.Since(begin), err
}

// TestStopWithSilence has connections without a whole request: they get the pause, and
// what begins within it is answered.
func TestStopWithSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, all := servePipes(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "whole") })
		silent, half, late := p.dial(), p.dial(), p.dial()
		_, _ = io.WriteString(half, "GET / HTTP/1.1\r\nHo")
		answered := make(chan error, 1)
		go func() {
			time.Sleep(drainPause / 2)
			_, _ = io.WriteString(late, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			response, err := http.ReadResponse(bufio.NewReader(late), nil)
			if err == nil && !response.Close {
				err = errors.New("an answer that does not end its connection")
			}
			answered <- err
		}()
		if d, err := took(t, time.Minute, all); err != nil || d > drainPause+50*time.Millisecond {
			t.Errorf("the stop took %s, %v, want the pause of %s", d, err, drainPause)
		}
		if err := <-answered; err != nil {
			t.Errorf("a request within the pause: %v", err)
		}
		for _, c := range []net.Conn{silent, half} {
			if _, err := c.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("a silent connection: %v", err)
			}
		}
	})
}

// TestStopAfterTheLastAnswer ends as soon as it is given.
func TestStopAfterTheLastAnswer(t *testing.T) {
	const work = 1700 * time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		p, all := servePipes(func(http.ResponseWriter, *http.Request) { time.Sleep(work) })
		c := p.dial()
		_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		go func() { _, _ = io.Copy(io.Discard, c) }()
		synctest.Wait()
		if d, err := took(t, time.Minute, all); err != nil || d < work || d > work+10*time.Millisecond {
			t.Errorf("the stop took %s, %v, want %s", d, err, work)
		}
	})
}

// TestStopOfHijacked waits for a handler that has taken its connection, as long as there is time.
func TestStopOfHijacked(t *testing.T) {
	f := func(handler, limit, want time.Duration, wantErr error) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			stopping, stop := context.WithCancel(t.Context())
			p, all := servePipes(func(w http.ResponseWriter, _ *http.Request) {
				conn, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				defer conn.Close()
				<-stopping.Done()
				time.Sleep(handler)
				_, _ = io.WriteString(conn, "bye")
			})
			c := p.dial()
			_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			said := make(chan string, 1)
			go func() { all, _ := io.ReadAll(c); said <- string(all) }()
			synctest.Wait()
			stop()
			d, err := took(t, limit, all)
			if d < want || d > want+10*time.Millisecond || !errors.Is(err, wantErr) {
				t.Errorf("the stop took %s, %v, want %s, %v", d, err, want, wantErr)
			}
			select {
			case got := <-said:
				if got != "bye" || wantErr != nil {
					t.Errorf("the client has got %q", got)
				}
			default:
				if wantErr == nil {
					t.Error("the stop was over before the client had its answer")
				}
				<-said
			}
		})
	}
	f(2*time.Second, time.Minute, 2*time.Second, nil)
	f(time.Hour, time.Second, time.Second, context.DeadlineExceeded)
}
