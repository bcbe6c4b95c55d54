package main

import (
	"fmt"
	"net/http"
	"runtime"
	"sync"
)

// metrics answers in the text format of Prometheus (version 0.0.4).
type metrics struct {
	mu       sync.Mutex
	requests [6]int // by the first digit of the status
}

// status remembers what a handler has answered.
type status struct {
	http.ResponseWriter
	code int
}

func (s *status) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}

// count counts the requests that h answers.
func (m *metrics) count(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := &status{w, http.StatusOK}
		h.ServeHTTP(s, r)
		m.mu.Lock()
		defer m.mu.Unlock()
		m.requests[s.code/100]++
	})
}

func (m *metrics) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	fmt.Fprintf(w, "# TYPE build_info gauge\nbuild_info{name=%q,version=%q,revision=%q,build_time=%q,go_version=%q} 1\n",
		name, version, revision, buildTime, runtime.Version())
	fmt.Fprintf(w, "# TYPE go_goroutines gauge\ngo_goroutines %d\n", runtime.NumGoroutine())
	fmt.Fprint(w, "# TYPE http_requests_total counter\n")
	m.mu.Lock()
	defer m.mu.Unlock()
	for digit := 1; digit < len(m.requests); digit++ {
		fmt.Fprintf(w, "http_requests_total{code=\"%dxx\"} %d\n", digit, m.requests[digit])
	}
}
