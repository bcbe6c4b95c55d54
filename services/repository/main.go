// Command repository serves the directory of a package repository to apt and
// dnf. What it does is internal/repo/server; here is what its environment says.
//
//	REPOSITORY       the directory, /srv/repository
//	HTTP_ADDRESS     where clients come to, :8080
//	METRICS_ADDRESS  /metrics, /health and /ready, :9090
//	ACCESS_LOG       off writes no line for each request
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/kinectl/kinectl/internal/repo/server"
)

// Set at link time by kinectl package.
var (
	name      = "repository"
	version   = "0.0.0"
	revision  = "unknown"
	buildTime = "unknown"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Stderr)
	switch {
	case errors.Is(err, server.ErrCutOff):
		logf("warning", "%v", err) // a restart does not wait for the slowest client
	case err != nil:
		logf("error", "%v", err)
		os.Exit(1)
	}
}

// run serves until ctx is done and the last download has had its time.
func run(ctx context.Context, access io.Writer) error {
	files, err := server.Handler(setting("REPOSITORY", "/srv/repository"))
	if err != nil {
		return err
	}
	defer files.Close()
	listener, err := server.Listen(ctx, setting("HTTP_ADDRESS", ":8080"))
	if err != nil {
		return fmt.Errorf("listen on HTTP_ADDRESS: %w", err)
	}
	metrics, err := server.Listen(ctx, setting("METRICS_ADDRESS", ":9090"))
	if err != nil {
		listener.Close()
		return fmt.Errorf("listen on METRICS_ADDRESS: %w", err)
	}
	if setting("ACCESS_LOG", "on") == "off" {
		access = nil
	}
	logf("info", "%s %s started", name, version)
	err = server.Serve(ctx, listener, files, server.Options{
		Log:     access,
		Metrics: metrics,
		Program: server.Program{Name: name, Version: version, Revision: revision, BuildTime: buildTime},
		Drained: drained,
	})
	logf("info", "%s %s stopped", name, version)
	return err
}

// drained tells whether the marker says that the host is out of traffic.
func drained() bool {
	_, err := os.Stat(setting("RUNTIME_DIRECTORY", "/run/"+name) + "/drain")
	return err == nil
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
