package server

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// observe is around every request: it keeps the client's pace, counts, and
// writes the line of the access log.
func observe(next http.Handler, limits Limits, seen *metrics, log io.Writer) http.Handler {
	pace := newPace(limits.Window, limits.Rate)
	var mu sync.Mutex
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e := event{start: time.Now(), request: r.Method + " " + r.URL.Path, asked: r.Header.Get("Range"), agent: r.UserAgent()}
		e.client, _, _ = net.SplitHostPort(r.RemoteAddr)
		a := &answer{ResponseWriter: w, pace: pace, status: http.StatusOK}
		next.ServeHTTP(a, r)
		if a.slow {
			cutOff(r)
		}
		e.took, e.status, e.bytes, e.slow = time.Since(e.start), a.status, a.bytes, a.slow
		_, k := classify(r.URL.Path)
		seen.request(k, e)
		if log == nil {
			return
		}
		line := e.line()
		mu.Lock()
		defer mu.Unlock()
		_, _ = io.WriteString(log, line)
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

// line is the event for the log, in key=value pairs (logfmt) as the services'
// other lines. All that the client chose is quoted, and bounded.
func (e event) line() string {
	level := "info"
	switch {
	case e.status >= 500:
		level = "error"
	case e.slow:
		level = "warning"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "level=%s msg=request time=%s client=%s request=%q status=%d bytes=%d seconds=%.6f",
		level, e.start.UTC().Format(time.RFC3339), e.client, shortened(e.request), e.status, e.bytes, e.took.Seconds())
	if e.asked != "" {
		fmt.Fprintf(&b, " range=%q", shortened(e.asked))
	}
	if e.agent != "" {
		fmt.Fprintf(&b, " agent=%q", shortened(e.agent))
	}
	if e.slow {
		b.WriteString(" cut=slow")
	}
	b.WriteByte('\n')
	return b.String()
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
