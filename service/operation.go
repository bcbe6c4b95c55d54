package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// operationHandler answers those who watch the service, on a port of its own:
//
//	/metrics       for Prometheus
//	/health        200 while the process answers and its own checks are fine; 503 and their names if not
//	/ready         200 while the service wants new requests; 503 and the reasons while not
//	/debug/pprof/  profiles, for this machine only
func operationHandler(registry *prometheus.Registry, ready *readiness, healthy func(context.Context) error, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelError), ErrorHandling: promhttp.ContinueOnError, Registry: registry,
	}))
	mux.Handle("GET /health", answering("ok", healthy))
	mux.Handle("GET /ready", answering("ready", ready.ask))
	mux.Handle("GET /debug/pprof/", profiles())
	return mux
}

// answering says the word, or what is against it.
func answering(word string, ask func(context.Context) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := ask(r.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, word)
	})
}

// readiness tells whether new requests are welcome.
type readiness struct {
	open    atomic.Bool // between the start's end and the stop's beginning
	markers []string    // files; while one is there, the service is out of traffic
	log     *slog.Logger
	checks  []*condition // not changed once open
}

// drainMarkers are where a deploy says that a service is to be out of traffic:
// in the unit's runtime directory (RuntimeDirectory=, systemd.exec(5)).
func drainMarkers(name, runtimeDirectory string) []string {
	var markers []string
	for _, dir := range append(strings.Split(runtimeDirectory, ":"), filepath.Join("/run", name)) {
		if filepath.IsAbs(dir) {
			markers = append(markers, filepath.Join(dir, "drain"))
		}
	}
	return markers
}

// ask returns nil, or all that stands against new requests, by its name.
func (r *readiness) ask(ctx context.Context) error {
	if !r.open.Load() {
		return errors.New("starting or stopping")
	}
	for _, marker := range r.markers {
		if _, err := os.Lstat(marker); err == nil {
			return fmt.Errorf("drained by %s", marker)
		}
	}
	return askAll(ctx, r.log, "ready", r.checks)
}
