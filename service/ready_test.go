package service

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// TestMetricsAndReady has what other tests do not: metrics and conditions of the service's own.
func TestMetricsAndReady(t *testing.T) {
	environ := []string{"METRICS_ADDRESS=127.0.0.1:0", "SHUTDOWN_TIMEOUT=5s"}
	ctx, stop := context.WithCancel(t.Context())
	var log lockedBuffer
	var warm atomic.Bool
	end := make(chan error, 1)
	go func() {
		end <- Serve(ctx, Process{Build: Build{Name: "films", Version: "1.2.3"}, Environ: environ, Log: &log}, func(s *Service, _ none) error {
			total := prometheus.NewCounter(prometheus.CounterOpts{Name: "films_total", Help: "Films."})
			s.Metrics().MustRegister(total)
			total.Add(7)
			s.OnReady("cache", func(context.Context) error {
				if !warm.Load() {
					return errors.New("it is cold")
				}
				return nil
			})
			s.Go("w", untilStopped)
			return nil
		})
	}()
	for !strings.Contains(log.String(), "msg=ready") {
		select {
		case err := <-end:
			t.Fatalf("it has ended: %v", err)
		case <-time.After(time.Millisecond):
		}
	}
	operation := "http://" + regexp.MustCompile(`part=metrics address=(\S+)`).FindStringSubmatch(log.String())[1]
	if status, body := get(t, operation+"/ready"); status != 503 || !strings.Contains(body, "cache is not ready") {
		t.Errorf("/ready: %d %s", status, body)
	}
	warm.Store(true)
	if status, body := get(t, operation+"/ready"); status != 200 {
		t.Errorf("/ready: %d %s", status, body)
	}
	if _, body := get(t, operation+"/metrics"); !strings.Contains(body, "\nfilms_total 7\n") || !strings.Contains(body, `name="films"`) || !strings.Contains(body, `version="1.2.3"`) {
		t.Errorf("/metrics: %s", body)
	}
	stop()
	if err := <-end; err != nil {
		t.Error(err)
	}
}
