package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// TestServe runs a service within a program that goes on.
func TestServe(t *testing.T) {
	t.Setenv("SERVE_TEST_SECRET", "kept")
	type config struct {
		Address Address `env:"HTTP_ADDRESS,required"`
		Secret  Secret  `env:"SERVE_TEST_SECRET"`
	}
	serve := func(ctx context.Context, log io.Writer, setup func(*Service, config) error, environ ...string) error {
		return Serve(ctx, Process{Build: Build{Name: "inner", Version: "1.2.3"}, Environ: append([]string{"METRICS_ADDRESS=off", "HTTP_ADDRESS=127.0.0.1:0", "SERVE_TEST_SECRET=s"}, environ...), Log: log}, setup)
	}
	var all sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	address := make(chan string)
	all.Go(func() {
		err := serve(ctx, nil, func(s *Service, c config) error {
			s.HTTP(c.Address, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, s.Build().Version) }),
				func(server *http.Server) {
					server.BaseContext = func(l net.Listener) context.Context { address <- l.Addr().String(); return context.Background() }
				})
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	answer, err := http.Get("http://" + <-address)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	if err != nil || string(body) != "1.2.3" {
		t.Errorf("answer: %q, %v", body, err)
	}
	stop()
	all.Wait()
	http.DefaultClient.CloseIdleConnections()
	if now := os.Getenv("SERVE_TEST_SECRET"); now != "kept" {
		t.Errorf("the process's own variable is %q now", now)
	}

	f := func(want string, target error, setup func(*Service, config) error, environ ...string) {
		t.Helper()
		var log strings.Builder
		err := serve(t.Context(), &log, setup, environ...)
		if err == nil || !strings.HasPrefix(err.Error(), want) || target != nil && !errors.Is(err, target) || strings.Contains(log.String(), "level=ERROR") {
			t.Errorf("got %v, want %s; log:\n%s", err, want, log.String())
		}
	}
	f("HTTP_ADDRESS: ", nil, nil, "HTTP_ADDRESS=x")
	f("setup: EOF", io.EOF, func(*Service, config) error { return io.EOF })
	f("worker: EOF", io.EOF, func(s *Service, _ config) error {
		s.Go("worker", func(context.Context) error { return io.EOF })
		return nil
	})
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	f("start: listen for http: ", syscall.EADDRINUSE, func(s *Service, c config) error {
		s.HTTP(c.Address, http.NotFoundHandler())
		return nil
	}, "HTTP_ADDRESS="+taken.Addr().String())
}
