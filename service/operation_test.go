package service

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func operation(t *testing.T, ready *readiness) func(path, client string, header ...string) (int, string) {
	t.Helper()
	build := Build{Name: "films", Version: "1.2.3", Revision: "abc", BuildTime: "then"}
	h := operationHandler(newRegistry(build), ready, func(context.Context) error { return nil }, slog.New(slog.DiscardHandler))
	return func(path, client string, header ...string) (int, string) {
		r := httptest.NewRequest("GET", path, nil).WithContext(t.Context())
		r.RemoteAddr, r.Host = client, "localhost:9090"
		for i := 0; i+1 < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
}

const stranger = "192.0.2.1:1234"

func TestMetrics(t *testing.T) {
	ask := operation(t, &readiness{log: slog.New(slog.DiscardHandler)})
	code, body := ask("/metrics", stranger)
	if code != http.StatusOK {
		t.Errorf("%d %s", code, body)
	}
	for _, want := range []string{
		`build_info{build_time="then",go_version="go`, `name="films",revision="abc",version="1.2.3"} 1`,
		"go_goroutines ", "process_cpu_seconds_total ", "process_start_time_seconds ", "process_open_fds ",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in\n%s", want, body)
		}
	}
	if code, body := ask("/health", stranger); code != http.StatusOK || body != "ok\n" {
		t.Errorf("%d %s", code, body)
	}
}

func TestReady(t *testing.T) {
	dir := t.TempDir()
	fault := map[string]error{}
	var log bytes.Buffer
	ready := &readiness{markers: drainMarkers("films", dir+":/nowhere"), log: slog.New(slog.NewTextHandler(&log, nil))}
	for _, name := range []string{"database", "queue"} {
		ready.checks = append(ready.checks, &condition{task: task{name, func(ctx context.Context) error {
			if deadline, ok := ctx.Deadline(); !ok || time.Until(deadline) > time.Second {
				t.Error("a check without a limit")
			}
			return fault[name]
		}}})
	}
	ask := operation(t, ready)
	f := func(code int, body string) {
		t.Helper()
		if gotCode, got := ask("/ready", stranger); gotCode != code || got != body {
			t.Errorf("%d %q, want %d %q", gotCode, got, code, body)
		}
	}
	f(503, "starting or stopping\n")
	ready.open.Store(true)
	f(200, "ready\n")
	marker := filepath.Join(dir, "drain")
	if err := os.WriteFile(marker, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f(503, "drained by "+marker+"\n")
	if err := os.Remove(marker); err != nil {
		t.Fatal(err)
	}
	fault["database"] = errors.New("dial postgres://me:secret@db")
	f(503, "database is not ready\n")
	f(503, "database is not ready\n")
	fault["queue"] = errors.New("gone")
	f(503, "database is not ready\nqueue is not ready\n")
	clear(fault)
	f(200, "ready\n")
	ready.open.Store(false)
	f(503, "starting or stopping\n")
	if n := strings.Count(log.String(), "check=database"); n != 2 {
		t.Errorf("%d lines of the database in the log, want 2: when it failed, and when it was well again\n%s", n, &log)
	}
}

func TestDrainMarkers(t *testing.T) {
	f := func(runtimeDirectory string, want ...string) {
		t.Helper()
		if got := drainMarkers("films", runtimeDirectory); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", runtimeDirectory, got, want)
		}
	}
	f("", "/run/films/drain")
	f("/run/f", "/run/f/drain", "/run/films/drain")
	f("/run/f:/run/g", "/run/f/drain", "/run/g/drain", "/run/films/drain")
}

// TestCheckThatHangs asks many times at once a check that ignores its context, and one that panics.
func TestCheckThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		release := make(chan struct{})
		var log lockedBuffer
		ready := &readiness{log: slog.New(slog.NewTextHandler(&log, nil)), checks: []*condition{
			{task: task{"deaf", func(context.Context) error { calls.Add(1); <-release; return nil }}},
			{task: task{"panics", func(context.Context) error { panic("here") }}},
		}}
		ready.open.Store(true)
		began := time.Now()
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if err := ready.ask(t.Context()); err == nil || err.Error() != "deaf is not ready\npanics is not ready" {
					t.Errorf("%v", err)
				}
			})
		}
		wg.Wait()
		if took := time.Since(began); took > 2*checkLimit || calls.Load() != 1 {
			t.Errorf("%s, %d calls", took, calls.Load())
		}
		time.Sleep(time.Millisecond) // of the bubble's time: what is logged at the limit is logged then
		synctest.Wait()
		if _, after, found := strings.Cut(log.String(), `msg="not ready" check=deaf error="no answer in time"`); !found || strings.Contains(after, "check=deaf") {
			t.Errorf("a check that hangs is not in the log, or more than once:\n%s", log.String())
		}
		close(release)
		synctest.Wait()
		if !strings.Contains(log.String(), `msg="ready again" check=deaf`) {
			t.Errorf("log:\n%s", log.String())
		}
	})
}

func TestProfiles(t *testing.T) {
	ask := operation(t, &readiness{log: slog.New(slog.DiscardHandler)})
	f := func(path, client string, want int, header ...string) string {
		t.Helper()
		code, body := ask(path, client, header...)
		if code != want {
			t.Errorf("%s from %s: %d, want %d", path, client, code, want)
		}
		return body
	}
	const here = "127.0.0.1:1234"
	f("/debug/pprof/heap", stranger, 403)
	f("/debug/pprof/", stranger, 403)
	f("/debug/pprof/heap", "[2001:db8::1]:1", 403)
	f("/debug/pprof/heap", "@", 403) // a unix socket has no address
	f("/debug/pprof/heap", here, 403, "X-Forwarded-For", "192.0.2.1")
	f("/debug/pprof/heap", here, 403, "Forwarded", "for=192.0.2.1")
	f("/debug/pprof/nothing", here, 404)
	f("/debug/pprof/profile?seconds=0", here, 400)
	f("/debug/pprof/profile?seconds=NaN", here, 400)
	f("/debug/pprof/profile?seconds=301", here, 400)
	if body := f("/debug/pprof/", here, 200); !strings.Contains(body, "goroutine\nheap\n") {
		t.Error(body)
	}
	if body := f("/debug/pprof/goroutine?debug=2", "[::1]:1", 200); !strings.Contains(body, "TestProfiles") {
		t.Error(body)
	}
	gzip := "\x1f\x8b"
	for _, path := range []string{"heap", "allocs", "goroutine", "profile?seconds=0.01"} {
		if body := f("/debug/pprof/"+path, "[::ffff:127.0.0.1]:1", 200); !strings.HasPrefix(body, gzip) {
			t.Errorf("%s is no profile", path)
		}
	}
	if body := f("/debug/pprof/trace?seconds=0.01", here, 200); !strings.HasPrefix(body, "go 1.") {
		t.Errorf("no trace: %.20q", body)
	}
}

// TestBare shows that the shell has left net/http's own mux alone.
func TestBare(t *testing.T) {
	w := httptest.NewRecorder()
	http.DefaultServeMux.ServeHTTP(w, httptest.NewRequest("GET", "/debug/pprof/", nil))
	if body, _ := io.ReadAll(w.Body); w.Code != http.StatusNotFound {
		t.Errorf("%d %s", w.Code, body)
	}
}
