package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func untilStopped(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// steps notes what happens in which order.
type steps struct {
	mu   sync.Mutex
	list []string
}

func (s *steps) add(step string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, step)
}

func (s *steps) check(t *testing.T, want ...string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.list, want) {
		t.Errorf("steps %q, want %q", s.list, want)
	}
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	answer, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

// TestLife is the whole of it: a request under way when SIGTERM comes is answered, then
// the worker ends, then what was opened is closed, the last first.
func TestLife(t *testing.T) {
	var did steps
	under, goOn := make(chan struct{}), make(chan struct{})
	r := begin(t, nil, []string{"HTTP_ADDRESS=127.0.0.1:0"}, func(s *Service, c struct {
		HTTP Address `env:"HTTP_ADDRESS"`
	},
	) error {
		mux := http.NewServeMux()
		mux.HandleFunc("GET /quick", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, s.Build().Version) })
		mux.HandleFunc("GET /slow", func(w http.ResponseWriter, _ *http.Request) {
			close(under)
			<-goOn
			did.add("answer")
			fmt.Fprint(w, "whole")
		})
		s.HTTP(c.HTTP, mux)
		s.Go("worker", func(ctx context.Context) error {
			<-ctx.Done()
			did.add("worker")
			return ctx.Err()
		})
		s.OnClose("first", func(context.Context) error { did.add("close first"); return nil })
		s.OnClose("second", func(context.Context) error { did.add("close second"); return nil })
		return nil
	})
	r.told("READY=1")
	api, operation := "http://"+r.address("http"), "http://"+r.address("metrics")
	if status, body := get(t, api+"/quick"); status != 200 || body != thisBuild().Version {
		t.Errorf("%d %s", status, body)
	}
	if status, _ := get(t, operation+"/ready"); status != 200 {
		t.Errorf("/ready: %d", status)
	}
	if _, body := get(t, operation+"/metrics"); !strings.Contains(body, `http_request_duration_seconds_count{code="2xx",method="GET",route="/quick"} 1`) {
		t.Errorf("/metrics: %s", body)
	}
	answer := make(chan string)
	go func() {
		_, body := get(t, api+"/slow")
		answer <- body
	}()
	<-under
	r.signals <- syscall.SIGTERM
	r.told("STOPPING=1")
	if status, _ := get(t, operation+"/ready"); status != 503 {
		t.Errorf("/ready while it stops: %d", status)
	}
	did.check(t)
	close(goOn)
	if body := <-answer; body != "whole" {
		t.Errorf("answer %q", body)
	}
	r.exits(0)
	did.check(t, "answer", "worker", "close second", "close first")
	r.logged("msg=ready", "msg=stopping")
	if len(r.killed) > 0 {
		t.Error("it has killed itself")
	}
}

type failing struct{ *http.Server }

func (failing) Serve(net.Listener) error { return errors.New("broken") }

func TestFailures(t *testing.T) {
	broken := errors.New("broken")
	f := func(setup func(*Service, none) error, code int, logged ...string) {
		t.Helper()
		closed := false
		r := begin(t, nil, nil, func(s *Service, c none) error {
			s.OnClose("log", func(context.Context) error { closed = true; return nil })
			return setup(s, c)
		})
		r.exits(code)
		r.logged(logged...)
		if !closed {
			t.Error("OnClose was not called")
		}
	}
	f(func(*Service, none) error { return broken }, 1, `msg="setup failed" error=broken`)
	f(func(*Service, none) error { return nil }, 1, "it has added nothing to do")
	f(func(s *Service, _ none) error {
		s.HTTP("nonsense", http.NotFoundHandler())
		s.Listen("dns", "/nonexistent/dns", &http.Server{})
		return nil
	}, 1, "listen for http", "listen for dns")
	f(func(s *Service, _ none) error {
		s.Go("other", untilStopped)
		s.Go("worker", func(context.Context) error { return broken })
		return nil
	}, 1, `msg="worker failed" error=broken`, "stopping")
	f(func(s *Service, _ none) error {
		s.Go("worker", func(context.Context) error { return nil })
		return nil
	}, 1, `msg="worker failed" error="it has ended, and nobody has asked it to"`)
	f(func(s *Service, _ none) error {
		s.Listen("dns", "127.0.0.1:0", failing{&http.Server{}})
		return nil
	}, 1, `msg="dns failed" error=broken`)
	f(func(s *Service, _ none) error {
		s.Job("done", func(context.Context) error { return nil })
		s.OnClose("data", func(context.Context) error { return broken })
		return nil
	}, 1, `msg="close data failed" error=broken`)
}

func TestJobs(t *testing.T) {
	f := func(setup func(*Service, none) error, signal os.Signal, code int, port bool, logged ...string) {
		t.Helper()
		r := begin(t, nil, nil, setup)
		if signal != nil {
			r.told("READY=1")
			r.signals <- signal
		}
		r.exits(code)
		r.logged(logged...)
		if got := strings.Contains(r.log.String(), "part=metrics"); got != port {
			t.Errorf("a second port: %v", got)
		}
	}
	done := func(context.Context) error { return nil }
	f(func(s *Service, _ none) error { s.Job("a", done); s.Job("b", done); return nil }, nil, 0, false, "all jobs are done")
	f(func(s *Service, _ none) error { s.Job("a", done); s.Go("w", untilStopped); return nil }, nil, 0, true, "all jobs are done")
	f(func(s *Service, _ none) error {
		s.Job("a", done)
		s.Job("b", func(context.Context) error { return errors.New("broken") })
		return nil
	}, nil, 1, false, `msg="b failed" error=broken`)
	// A job that is stopped is not done.
	f(func(s *Service, _ none) error {
		s.Job("a", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		return nil
	}, syscall.SIGTERM, 1, false, `msg="a failed" error="context canceled"`)
	f(func(s *Service, _ none) error { s.Job("a", untilStopped); return nil }, syscall.SIGINT, 0, false)
}

func TestStopInSetup(t *testing.T) {
	r := begin(t, nil, nil, func(s *Service, _ none) error {
		<-s.Context().Done()
		s.Go("worker", untilStopped)
		return s.Context().Err()
	})
	r.signals <- syscall.SIGTERM
	r.exits(0)
	if strings.Contains(r.log.String(), "ready") {
		t.Errorf("log:\n%s", r.log.String())
	}
}

// TestLimit has a worker and a close that do not end. The goroutines that they leave are let go
// before the check for those.
func TestLimit(t *testing.T) {
	letGo := make(chan struct{})
	r := begin(t, nil, []string{"SHUTDOWN_TIMEOUT=10ms"}, func(s *Service, _ none) error {
		s.Go("deaf", func(context.Context) error { <-letGo; return nil })
		s.OnClose("deaf", func(context.Context) error { <-letGo; return nil })
		s.OnClose("good", func(context.Context) error { return nil })
		return nil
	})
	r.told("READY=1")
	start := time.Now()
	r.signals <- syscall.SIGTERM
	r.exits(1)
	if took := time.Since(start); took < 2*lastWord || took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
	r.logged("1 workers or jobs have not ended in time", `msg="close deaf failed" error="it has not ended in time"`)
	close(letGo)
}

func TestOperationOff(t *testing.T) {
	r := begin(t, nil, []string{"METRICS_ADDRESS=off"}, func(s *Service, _ none) error { s.Go("w", untilStopped); return nil })
	r.told("READY=1")
	r.signals <- syscall.SIGTERM
	r.exits(0)
	if strings.Contains(r.log.String(), "listening") {
		t.Errorf("log:\n%s", r.log.String())
	}
}
