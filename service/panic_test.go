package service

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
)

// TestPanicOfWorker has a request under way: it is answered, and what was opened is closed.
func TestPanicOfWorker(t *testing.T) {
	var did steps
	under, panicking, goOn := make(chan struct{}), make(chan struct{}), make(chan struct{})
	r := begin(t, nil, nil, func(s *Service, _ none) error {
		s.HTTP("127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			close(under)
			<-goOn
			fmt.Fprint(w, "whole")
		}))
		s.Go("worker", func(context.Context) error {
			<-panicking
			panic("out of films")
		})
		s.OnClose("data", func(context.Context) error { did.add("close data"); return nil })
		return nil
	})
	r.told("READY=1")
	answer := make(chan string)
	go func() {
		_, body := get(t, "http://"+r.address("http"))
		answer <- body
	}()
	<-under
	close(panicking)
	r.told("STOPPING=1")
	close(goOn)
	if body := <-answer; body != "whole" {
		t.Errorf("answer %q", body)
	}
	r.exits(1)
	did.check(t, "close data")
	r.logged(`msg="worker failed" error="panic: out of films" stack=`, "panic_test.go", "msg=stopping")
}

func TestPanicsOfParts(t *testing.T) {
	panics := func(context.Context) error { panic("here") }
	f := func(args []string, signal bool, setup func(*Service), code int, logged ...string) {
		t.Helper()
		closed := false
		r := begin(t, args, nil, func(s *Service, _ none) error {
			s.OnClose("log", func(context.Context) error { closed = true; return nil })
			setup(s)
			return nil
		}, Command[none]{Name: "migrate", Run: func(_ context.Context, s *Service, _ none) error {
			s.OnClose("log", func(context.Context) error { closed = true; return nil })
			panic("here")
		}})
		if signal {
			r.told("READY=1")
			r.signals <- syscall.SIGHUP
			r.told(`RELOADING=1\n.*`, "READY=1")
			r.signals <- syscall.SIGTERM
		}
		r.exits(code)
		r.logged(logged...)
		r.logged(`error="panic: here" stack=`, "panic_test.go")
		if !closed {
			t.Error("OnClose was not called")
		}
	}
	f(nil, false, func(*Service) { panic("here") }, 1, `msg="setup failed"`)
	f(nil, false, func(s *Service) { s.Job("a", panics); s.Go("w", untilStopped) }, 1, `msg="a failed"`, "stopping")
	f(nil, false, func(s *Service) {
		s.Job("a", func(context.Context) error { return nil })
		s.OnClose("data", panics)
	}, 1, "all jobs are done", `msg="close data failed"`)
	f(nil, true, func(s *Service) { s.Go("w", untilStopped); s.OnReload("rules", panics) }, 0, `msg="reload rules failed"`, "stopping")
	f([]string{"migrate"}, false, nil, 1, `msg="migrate failed"`)
}

// TestPanicInServe is about an error that goes to the caller, who would not have the stack.
func TestPanicInServe(t *testing.T) {
	var log strings.Builder
	err := Serve(t.Context(), Process{Environ: []string{"METRICS_ADDRESS=off"}, Log: &log}, func(*Service, none) error { panic("here") })
	if err == nil || err.Error() != "setup: panic: here" || !strings.Contains(log.String(), "panic_test.go") {
		t.Errorf("%v; log:\n%s", err, log.String())
	}
}
