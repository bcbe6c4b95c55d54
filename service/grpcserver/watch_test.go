package grpcserver

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// watcher is a client of Watch.
type watcher struct {
	grpc.ServerStream
	ctx  context.Context
	seen []string
}

func (w *watcher) Context() context.Context { return w.ctx }

func (w *watcher) Send(r *healthpb.HealthCheckResponse) error {
	w.seen = append(w.seen, r.GetStatus().String())
	return nil
}

// TestWatch lets the readiness change once a minute: each change is told once.
func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute-time.Second)
		defer cancel()
		h := &health{
			stopping: make(chan struct{}),
			services: func() map[string]grpc.ServiceInfo { return nil },
			ready: func(context.Context) error {
				if int(time.Since(begin)/time.Minute)%2 == 1 {
					return errors.New("an odd minute")
				}
				return nil
			},
		}
		w := &watcher{ctx: ctx}
		if err := h.Watch(&healthpb.HealthCheckRequest{}, w); err == nil {
			t.Error("a watch that the client gave up ends without an error")
		}
		if want := []string{"SERVING", "NOT_SERVING", "SERVING", "NOT_SERVING"}; !slices.Equal(w.seen, want) {
			t.Errorf("seen %q, want %q", w.seen, want)
		}
	})
}
