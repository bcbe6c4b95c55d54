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
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// operationHandler answers those who watch the service, on a port of its own:
//
//	/metrics       for Prometheus
//	/health        200 while the process answers
//	/ready         200 while the service wants new requests; 503 and the reasons while not
//	/debug/pprof/  profiles, for this machine only
func operationHandler(registry *prometheus.Registry, ready *readiness, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelError), ErrorHandling: promhttp.ContinueOnError, Registry: registry,
	}))
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /ready", func(w http.ResponseWriter, r *http.Request) {
		if err := ready.ask(r.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
	mux.Handle("GET /debug/pprof/", profiles())
	return mux
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

// ask returns nil, or all that stands against new requests by its name. What a
// check has said goes to the log: it may be more than a stranger should see.
func (r *readiness) ask(ctx context.Context) error {
	if !r.open.Load() {
		return errors.New("starting or stopping")
	}
	for _, marker := range r.markers {
		if _, err := os.Lstat(marker); err == nil {
			return fmt.Errorf("drained by %s", marker)
		}
	}
	faults := make([]error, len(r.checks))
	var wg sync.WaitGroup
	for i, c := range r.checks {
		wg.Go(func() {
			if c.ask(ctx, r.log) != nil {
				faults[i] = fmt.Errorf("%s is not ready", c.name)
			}
		})
	}
	wg.Wait()
	return errors.Join(faults...)
}

// condition is a check of [Service.OnReady]. However many ask, it runs once at
// a time.
type condition struct {
	name  string
	check func(context.Context) error

	failing bool // as the log has it; of the one that runs
	mu      sync.Mutex
	running *verdict
}

type verdict struct {
	done chan struct{}
	err  error
}

// checkLimit is how long a check may take.
const checkLimit = time.Second

func (c *condition) ask(ctx context.Context, log *slog.Logger) error {
	c.mu.Lock()
	v := c.running
	if v == nil {
		v = &verdict{done: make(chan struct{})}
		c.running = v
		go c.run(v, log)
	}
	c.mu.Unlock()
	limit := time.NewTimer(checkLimit + checkLimit/10) // for checks that do not look at their context
	defer limit.Stop()
	select {
	case <-v.done:
		return v.err
	case <-ctx.Done():
		return ctx.Err()
	case <-limit.C:
		return errors.New("no answer in time")
	}
}

func (c *condition) run(v *verdict, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.Background(), checkLimit)
	defer cancel()
	v.err = safely(func() error { return c.check(ctx) })
	failing := v.err != nil
	switch {
	case failing && !c.failing:
		log.Warn("not ready", "check", c.name, "error", v.err)
	case c.failing && !failing:
		log.Info("ready again", "check", c.name)
	}
	c.failing = failing
	c.mu.Lock()
	c.running = nil
	c.mu.Unlock()
	close(v.done)
}

func safely(f func() error) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("panic: %v", fault)
		}
	}()
	return f()
}
