// Package server offers the directory of a package repository over HTTP: to
// apt and dnf, which check the signatures themselves, so plain HTTP is enough.
//
// Start at [Handler], which answers for the files of one directory, and at
// [Serve], which adds what a daemon needs around it: limits against slow and
// silent clients, an access log, metrics, and an orderly end.
package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// ErrCutOff: the end came before every client had what it asked for.
var ErrCutOff = errors.New("clients were cut off")

// Options are what [Serve] may be told. The zero value serves, without log and
// metrics.
type Options struct {
	Log     io.Writer    // gets one line a request, in one Write; nil: none
	Metrics net.Listener // answers /metrics, /health and /ready; Serve closes it. nil: none
	Program Program      // for build_info
	// Drained tells whether the host is out of traffic: /ready says so, and all
	// else goes on. It is called for every /ready, at the same time too.
	Drained func() bool
	Limits  Limits
}

// Limits bound what a client may cost. A field that is zero has its default.
type Limits struct {
	Header time.Duration // to send the header of a request: 10 s
	Idle   time.Duration // between two requests of one connection: 2 min
	// In each Window (30 s) of an answer a client takes at least Rate (1000)
	// bytes a second, or it is cut off. What the kernel buffers counts as taken.
	Window time.Duration
	Rate   int64
	Silent time.Duration // without a sign that the other end is there: 1 min
	Grace  time.Duration // for running downloads when the end comes: 20 s
	Bytes  int           // of the header of a request: 16 KiB, and 4 more that net/http adds
}

func (l Limits) orDefaults() Limits {
	either := func(d *time.Duration, otherwise time.Duration) {
		if *d == 0 {
			*d = otherwise
		}
	}
	either(&l.Header, 10*time.Second)
	either(&l.Idle, 2*time.Minute)
	either(&l.Window, 30*time.Second)
	either(&l.Silent, time.Minute)
	either(&l.Grace, 20*time.Second)
	if l.Rate == 0 {
		l.Rate = 1000
	}
	if l.Bytes == 0 {
		l.Bytes = 16 << 10
	}
	return l
}

// Serve answers requests on listener, which it closes, until ctx ends. Then it
// says that it is not ready, takes no new connections, and lets running
// downloads finish for Limits.Grace; ErrCutOff is returned when some did not.
// Where systemd waits for it (sd_notify(3)), it is told READY and STOPPING.
// The caller closes files afterwards.
func Serve(ctx context.Context, listener net.Listener, files *Files, o Options) error {
	limits := o.Limits.orDefaults()
	seen := &metrics{program: o.Program, files: files}
	state := &readiness{files: files, drained: o.Drained}
	public := &http.Server{
		Handler:           observe(files, limits, seen, o.Log),
		ReadHeaderTimeout: limits.Header,
		IdleTimeout:       limits.Idle,
		WriteTimeout:      limits.Window, // moved along by pace
		MaxHeaderBytes:    limits.Bytes,
		ConnState:         seen.connection,
		ConnContext:       connContext(limits.Silent),
	}
	operation := &http.Server{
		Handler:           operationHandler(seen, state),
		ReadHeaderTimeout: limits.Header,
		IdleTimeout:       limits.Idle,
		WriteTimeout:      limits.Window,
		MaxHeaderBytes:    limits.Bytes,
	}
	defer operation.Close() // last, so that it tells of the end
	failed := make(chan error, 1)
	if o.Metrics != nil {
		go func() { failed <- operation.Serve(o.Metrics) }()
	}
	ended := make(chan error, 1)
	go func() { ended <- public.Serve(listener) }()
	if err := notify("READY=1"); err != nil {
		public.Close()
		return err
	}

	select {
	case err := <-ended:
		return fmt.Errorf("serve: %w", err)
	case err := <-failed:
		public.Close()
		return fmt.Errorf("serve metrics: %w", err)
	case <-ctx.Done():
	}
	state.stopping.Store(true)
	err := notify("STOPPING=1")
	public.SetKeepAlivesEnabled(false)
	listener.Close()
	<-ended
	return errors.Join(err, finish(public, seen, limits.Grace))
}

// finish ends the open connections: those at work may take as long as grace.
func finish(public *http.Server, seen *metrics, grace time.Duration) error {
	// A connection that was taken in this very moment looks idle to Shutdown:
	// it gets a moment to ask.
	for range 15 {
		if seen.open.Load() <= 0 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	err := public.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		left := seen.open.Load()
		return errors.Join(fmt.Errorf("serve: %d %w after %s", left, ErrCutOff, grace), public.Close())
	}
	return err
}
