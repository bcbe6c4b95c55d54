package service

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// observed is around every handler: it gives the request its id, counts it,
// and answers for a handler that panics.
type observed struct {
	next    http.Handler
	metrics *requestMetrics
	log     *slog.Logger
	ending  *atomic.Bool // answers end their connections
}

// exchange is all that is kept of a request, in one piece of memory.
type exchange struct {
	writer  answer1
	request request
	id      [1]string // X-Request-Id
	start   time.Time
}

func (o *observed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{start: time.Now()}
	x.writer.answer = answer{ResponseWriter: w, ending: o.ending}
	x.request = request{Context: r.Context(), id: requestID(header(r.Header, "X-Request-Id")), trace: traceID(header(r.Header, "Traceparent"))}
	x.id[0] = x.request.id
	w.Header()["X-Request-Id"] = x.id[:]
	r = r.WithContext(&x.request)

	o.metrics.inFlight.Add(1)
	defer o.end(x, r)
	o.next.ServeHTTP(x.pick(w), r)
	x.writer.begin(http.StatusOK) // a handler need not write anything
}

// pick is the writer with as much as w can do.
func (x *exchange) pick(w http.ResponseWriter) http.ResponseWriter {
	_, file := w.(io.ReaderFrom)
	_, hijack := w.(http.Hijacker)
	if file && hijack {
		return &x.writer
	}
	return &x.writer.answer
}

// header is Header.Get for a name that is in its canonical form.
func header(h http.Header, name string) string {
	if values := h[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

func (o *observed) end(x *exchange, r *http.Request) {
	fault := recover()
	defer o.metrics.inFlight.Add(-1)
	took := time.Since(x.start)
	status := x.writer.status
	abort := fault == http.ErrAbortHandler // the handler's own way to break off
	if fault != nil && !abort {
		status = http.StatusInternalServerError
		o.metrics.panics.Inc()
		o.log.LogAttrs(r.Context(), slog.LevelError, "handler panicked", slog.Any("panic", fault), slog.String("method", r.Method),
			slog.String("path", r.URL.Path), slog.String("stack", string(debug.Stack())))
	}
	s := series{routeOf(x.request.route, r), methodOf(r), min(status/100, 9)}
	o.metrics.answered(s, took)
	o.line(r.Context(), s, r, status, took)
	switch {
	case fault == nil || x.writer.hijacked:
	case abort || x.writer.status != 0:
		// Too late for an answer: the client is to see that what it has is not whole.
		panic(http.ErrAbortHandler)
	default:
		http.Error(&x.writer.answer, "Internal Server Error", http.StatusInternalServerError)
	}
}

// line writes requests to the log that the service failed; all of them when it
// is at the level debug.
func (o *observed) line(ctx context.Context, s series, r *http.Request, status int, took time.Duration) {
	level := slog.LevelDebug
	if status >= 500 {
		level = slog.LevelWarn
	}
	if o.log.Enabled(ctx, level) {
		o.log.LogAttrs(ctx, level, "request", slog.String("method", s.method), slog.String("route", s.route), slog.String("path", r.URL.Path),
			slog.Int("status", status), slog.Duration("took", took), slog.String("client", r.RemoteAddr))
	}
}
