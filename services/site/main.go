// Command site is a static site in one program: its files are embedded in it,
// so that a release is one package and a rollback brings back the old pages
// too. Put yours into the folder public.
package main

import (
	"context"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Set at link time by kinectl package.
var (
	name      = "site"
	version   = "0.0.0"
	revision  = "unknown"
	buildTime = "unknown"
)

//go:embed all:public
var public embed.FS

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		logf("error", "%v", err)
		os.Exit(1)
	}
}

// run serves until ctx is done and returns when the last request is answered.
func run(ctx context.Context) error {
	pages, err := fs.Sub(public, "public")
	if err != nil {
		return err
	}
	content, err := site(pages)
	if err != nil {
		return err
	}
	m := &metrics{}
	operation := http.NewServeMux()
	operation.Handle("GET /metrics", m)
	operation.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })

	failed := make(chan error, 2)
	var servers []*http.Server
	for _, s := range []struct {
		variable, address string
		handler           http.Handler
	}{
		{"HTTP_ADDRESS", ":8080", m.count(content)},
		{"METRICS_ADDRESS", ":9090", operation},
	} {
		address := s.address
		if v := os.Getenv(s.variable); v != "" {
			address = v
		}
		listener, err := net.Listen("tcp", address)
		if err != nil {
			return fmt.Errorf("listen on %s: %w", s.variable, err)
		}
		server := &http.Server{Handler: s.handler, ReadHeaderTimeout: 10 * time.Second}
		servers = append(servers, server)
		go func() { failed <- server.Serve(listener) }()
	}
	logf("info", "%s %s started", name, version)

	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for _, server := range servers {
		err = errors.Join(err, server.Shutdown(grace))
	}
	logf("info", "%s %s stopped", name, version)
	return err
}

// site answers with the files of pages. A browser may keep a page, but asks
// each time whether it is still the same.
func site(pages fs.FS) (http.Handler, error) {
	// One tag for all: they change together, with a release.
	sum := sha256.New()
	err := fs.WalkDir(pages, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := fs.ReadFile(pages, path)
		fmt.Fprintf(sum, "%s %d\n%s", path, len(body), body)
		return err
	})
	tag := fmt.Sprintf(`"%x"`, sum.Sum(nil)[:8])
	files := http.FileServerFS(pages)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "this site is only to be read", http.StatusMethodNotAllowed)
			return
		}
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("ETag", tag)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		files.ServeHTTP(w, r)
	}), err
}

// logf writes one line for the journal, which adds time and unit.
func logf(level, format string, args ...any) {
	fmt.Fprintf(os.Stderr, "level=%s msg=%q\n", level, fmt.Sprintf(format, args...))
}
