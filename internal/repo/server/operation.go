package server

import (
	"bytes"
	"fmt"
	"net/http"
	"sync/atomic"
)

// readiness tells whether new clients are welcome.
type readiness struct {
	files    *Files
	drained  func() bool // nil: never
	stopping atomic.Bool
}

// not says why not; empty when they are.
func (s *readiness) not() string {
	switch {
	case s.stopping.Load():
		return "stopping"
	case s.drained != nil && s.drained():
		return "drained"
	}
	file, _, err := s.files.open(keyName)
	if err != nil {
		return "the repository cannot be read"
	}
	file.Close()
	return ""
}

// operationHandler answers those who watch the service, on a port of its own:
// the repository's own names stay what clients may ask for.
func operationHandler(seen *metrics, state *readiness) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		var body bytes.Buffer
		seen.write(&body)
		_, _ = body.WriteTo(w)
	})
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /ready", func(w http.ResponseWriter, _ *http.Request) {
		if why := state.not(); why != "" {
			http.Error(w, why, http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
	return mux
}
