// Command hello is an HTTP service with what its operation needs: metrics,
// health, a log on standard error and an orderly stop.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Set at link time by kinectl package.
var (
	name      = "hello"
	version   = "0.0.0"
	revision  = "unknown"
	buildTime = "unknown"
)

func main() {
	command(os.Args[1:])
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		logf("error", "%v", err)
		os.Exit(1)
	}
}

// run serves until ctx is done and returns when the last request is answered.
func run(ctx context.Context) error {
	m := &metrics{start: time.Now()}
	service := http.NewServeMux()
	service.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "hello from %s %s\n", name, version)
	})
	operation := http.NewServeMux()
	operation.Handle("GET /metrics", m)
	ready := unlessDrained(answer("ready"))
	for _, mux := range []*http.ServeMux{service, operation} {
		mux.HandleFunc("GET /health", answer("ok"))
		mux.HandleFunc("GET /ready", ready)
	}
	listen := handedOver(net.Listen)

	failed := make(chan error, 2)
	var servers []*http.Server
	var listeners []net.Listener
	var open connections
	for _, s := range []struct {
		variable, address string
		handler           http.Handler
	}{
		{"HTTP_ADDRESS", ":8080", m.count(service)},
		{"METRICS_ADDRESS", ":9090", withFault(operation)},
	} {
		listener, err := listen("tcp", setting(s.variable, s.address))
		if err != nil {
			return fmt.Errorf("listen on %s: %w", s.variable, err)
		}
		server := &http.Server{Handler: s.handler, ReadHeaderTimeout: 10 * time.Second}
		server.ConnState = open.follow
		servers = append(servers, server)
		listeners = append(listeners, listener)
		go func() { failed <- server.Serve(listener) }()
	}
	logf("info", "%s %s started", name, version)
	if setting("HELLO_FAULT", fault) != "silent" {
		notify("READY=1")
	}

	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	notify("STOPPING=1")
	stopAccepting(servers, listeners, &open)
	grace, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var err error
	for _, server := range servers {
		err = errors.Join(err, server.Shutdown(grace))
	}
	logf("info", "%s %s stopped", name, version)
	return err
}

func answer(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, text) }
}

// setting reads a variable of the environment.
func setting(variable, otherwise string) string {
	if v := os.Getenv(variable); v != "" {
		return v
	}
	return otherwise
}

// logf writes one line for the journal, which adds time and unit.
func logf(level, format string, args ...any) {
	fmt.Fprintf(os.Stderr, "level=%s msg=%q\n", level, fmt.Sprintf(format, args...))
}
