// Package peers measures what others put around a handler. The shell itself is
// measured by the same requests in service/overhead_test.go.
package peers

import (
	"io"
	"log/slog"
	"net/http"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/go-chi/httplog/v3"
	"github.com/labstack/echo/v4"
	echomiddleware "github.com/labstack/echo/v4/middleware"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

func BenchmarkRequest(b *testing.B) {
	f := func(name string, h http.Handler) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			w := &sink{header: http.Header{}}
			r, _ := http.NewRequest("GET", "http://films.example/films", nil)
			r.RemoteAddr = "192.0.2.1:1234"
			for b.Loop() {
				h.ServeHTTP(w, r)
			}
		})
	}
	f("net/http", bare())
	f("promhttp", instrumented(bare()))
	f("chi+httplog", withChi())
	f("echo", withEcho())
}

func answer(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok")) }

func bare() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /films", answer)
	return mux
}

// instrumented has metrics alone: no id, no log, nothing against panics.
func instrumented(h http.Handler) http.Handler {
	registry := prometheus.NewRegistry()
	inFlight := prometheus.NewGauge(prometheus.GaugeOpts{Name: "http_requests_in_flight"})
	total := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "http_requests_total"}, []string{"code", "method"})
	seconds := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "http_request_duration_seconds"}, []string{"code", "method"})
	registry.MustRegister(inFlight, total, seconds)
	return promhttp.InstrumentHandlerInFlight(inFlight, promhttp.InstrumentHandlerCounter(total, promhttp.InstrumentHandlerDuration(seconds, h)))
}

// withChi has an id, a line in the log for each request, and an answer for panics; no metrics.
func withChi() http.Handler {
	r := chi.NewRouter()
	r.Use(middleware.RequestID, httplog.RequestLogger(slog.New(slog.NewJSONHandler(io.Discard, nil)), &httplog.Options{Level: slog.LevelInfo, RecoverPanics: true}))
	r.Get("/films", answer)
	return r
}

// withEcho has the same by its own middleware.
func withEcho() http.Handler {
	e := echo.New()
	e.Use(echomiddleware.RequestID(), echomiddleware.LoggerWithConfig(echomiddleware.LoggerConfig{Output: io.Discard}), echomiddleware.Recover())
	e.GET("/films", func(c echo.Context) error { return c.String(http.StatusOK, "ok") })
	return e
}

// sink is a writer that costs nothing itself.
type sink struct{ header http.Header }

func (s *sink) Header() http.Header            { return s.header }
func (s *sink) Write(body []byte) (int, error) { return len(body), nil }
func (s *sink) WriteHeader(int)                {}
