package service

import (
	"io"
	"log/slog"
	"net/http"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// allocations are what the shell adds to a request: one for all that it keeps, one
// for the copy of the request that has the context, and one for the id where the
// client sends none.
const allocations = 3

func TestAllocations(t *testing.T) {
	f := func(h http.Handler, r *http.Request) float64 {
		w := &sink{header: http.Header{}}
		return testing.AllocsPerRun(200, func() { h.ServeHTTP(w, r) })
	}
	bare, shell := overheadMux(), overheadShell(slog.LevelInfo)
	if got, without := f(shell, overheadRequest()), f(bare, overheadRequest()); got-without != allocations {
		t.Errorf("%v allocations, %v without the shell: want %d more", got, without, allocations)
	}
	r := overheadRequest()
	r.Header.Set("X-Request-Id", "mine")
	r.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	if got, without := f(shell, r), f(bare, r); got-without != allocations-1 {
		t.Errorf("%v allocations with an id, %v without the shell: want %d more", got, without, allocations-1)
	}
}

func BenchmarkRequest(b *testing.B) {
	f := func(name string, h http.Handler) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			w, r := &sink{header: http.Header{}}, overheadRequest()
			for b.Loop() {
				h.ServeHTTP(w, r)
			}
		})
	}
	f("bare", overheadMux())
	f("shell", overheadShell(slog.LevelInfo))
	f("shell_and_a_line_each", overheadShell(slog.LevelDebug))
}

func overheadMux() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /films", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok")) })
	return mux
}

func overheadShell(level slog.Level) http.Handler {
	log := newLog(io.Discard, logfmt, level, false)
	return newHTTPServer(overheadMux(), newRequestMetrics(prometheus.NewRegistry()), log).server.Handler
}

func overheadRequest() *http.Request {
	r, _ := http.NewRequest("GET", "http://films.example/films", nil)
	return r
}

// sink is a writer that costs nothing itself.
type sink struct{ header http.Header }

func (s *sink) Header() http.Header            { return s.header }
func (s *sink) Write(body []byte) (int, error) { return len(body), nil }
func (s *sink) WriteHeader(int)                {}
