// Command client_golang is the service of bench/size with client_golang alone: what it
// has of the shell is a second port with metrics, a log, and an end by Shutdown.
package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /hello/{name}", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "hello "+r.PathValue("name")+"\n")
	})
	seconds := promauto.NewHistogramVec(prometheus.HistogramOpts{Name: "http_request_duration_seconds"}, []string{"code", "method"})
	server := &http.Server{Addr: os.Getenv("HTTP_ADDRESS"), Handler: promhttp.InstrumentHandlerDuration(seconds, mux)}
	metrics := http.NewServeMux()
	metrics.Handle("GET /metrics", promhttp.Handler())
	operation := &http.Server{Addr: os.Getenv("METRICS_ADDRESS"), Handler: metrics}
	for _, s := range []*http.Server{server, operation} {
		go func() {
			if err := s.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
				slog.Error("serve", "error", err)
				os.Exit(1)
			}
		}()
	}
	slog.Info("serving", "address", server.Addr)
	<-ctx.Done()
	limit, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := server.Shutdown(limit); err != nil {
		slog.Error("stop", "error", err)
	}
}
