// Command my-service works in rounds until it is told to stop.
package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kinectl/kinectl/service"
)

// config comes from the environment; my-service --help shows it.
type config struct {
	Interval time.Duration `env:"INTERVAL" envDefault:"1m" help:"time from one round to the next"`
}

func main() { service.Run(setup) }

func setup(s *service.Service, c config) error {
	rounds := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "rounds_total", Help: "Rounds by their result."}, []string{"result"})
	s.Metrics().MustRegister(rounds)
	s.Go("rounds", func(ctx context.Context) error {
		return every(ctx, c.Interval, func(ctx context.Context) {
			result := "done"
			if err := round(ctx); err != nil {
				result = "failed"
				s.Log().ErrorContext(ctx, "round", "error", err)
			}
			rounds.WithLabelValues(result).Inc()
		})
	})
	return nil
}

// round is one piece of work. It ends soon when ctx is done.
func round(ctx context.Context) error {
	return ctx.Err()
}

// every calls f at once and then each interval, until ctx is done. A call that
// takes longer than the interval delays the next one.
func every(ctx context.Context, interval time.Duration, f func(context.Context)) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		f(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
