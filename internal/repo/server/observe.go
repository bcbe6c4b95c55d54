package server

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/kinectl/kinectl/service"
)

// logger is as much of a service's log as is used here.
type logger interface {
	InfoContext(ctx context.Context, message string, args ...any)
	WarnContext(ctx context.Context, message string, args ...any)
	ErrorContext(ctx context.Context, message string, args ...any)
}

// observe is around every request: it keeps the client's pace, counts, and
// writes a line to the log; nil: none.
func observe(next http.Handler, limits Limits, seen *metrics, log logger) http.Handler {
	pace := newPace(limits.Window, limits.Rate)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, k := classify(r.URL.Path)
		service.Route(r.Context(), string(k))
		e := event{start: time.Now(), request: r.Method + " " + r.URL.Path, asked: r.Header.Get("Range"), agent: r.UserAgent()}
		e.client, _, _ = net.SplitHostPort(r.RemoteAddr)
		a := &answer{ResponseWriter: w, pace: pace, status: http.StatusOK}
		next.ServeHTTP(a, r)
		if a.slow {
			cutOff(r)
		}
		e.took, e.status, e.bytes, e.slow = time.Since(e.start), a.status, a.bytes, a.slow
		seen.request(k, e)
		if log != nil {
			e.write(r.Context(), log)
		}
	})
}

// event is one request and its answer.
type event struct {
	start                         time.Time
	took                          time.Duration
	client, request, asked, agent string
	status                        int
	bytes                         int64 // of the body
	slow                          bool  // cut off
}

// write writes the event to the log. What the client chose is bounded.
func (e event) write(ctx context.Context, log logger) {
	write := log.InfoContext
	switch {
	case e.status >= 500:
		write = log.ErrorContext
	case e.slow:
		write = log.WarnContext
	}
	args := []any{"client", e.client, "request", shortened(e.request), "status", e.status, "bytes", e.bytes, "seconds", e.took.Seconds()}
	if e.asked != "" {
		args = append(args, "range", shortened(e.asked))
	}
	if e.agent != "" {
		args = append(args, "agent", shortened(e.agent))
	}
	if e.slow {
		args = append(args, "cut", "slow")
	}
	write(ctx, "request", args...)
}

func shortened(s string) string {
	const most = 300
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

// answer counts what is sent, and sends it at the client's pace. It keeps the
// writer's ReadFrom, by which the kernel sends files without copying them
// through this process.
type answer struct {
	http.ResponseWriter
	pace   pace
	status int
	bytes  int64
	slow   bool
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *answer) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(body []byte) (int, error) {
	n, err := a.ResponseWriter.Write(body)
	a.bytes += int64(n)
	return n, err
}

func (a *answer) ReadFrom(r io.Reader) (n int64, err error) {
	w, ok := a.ResponseWriter.(io.ReaderFrom)
	if !ok {
		return io.Copy(struct{ io.Writer }{a}, r) // counts in Write
	}
	n, err = a.pace.send(w, r, http.NewResponseController(a.ResponseWriter).SetWriteDeadline)
	a.bytes += n
	a.slow = errors.Is(err, os.ErrDeadlineExceeded)
	return n, err
}
