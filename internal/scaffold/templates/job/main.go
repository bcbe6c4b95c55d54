// Command my-service does its work once and ends. A timer of systemd starts it.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/kinectl/kinectl/service"
)

// config comes from the environment; my-service --help shows it.
type config struct {
	State string `env:"STATE_DIRECTORY" envDefault:"." help:"folder of the report; systemd sets it to /var/lib/my-service"`
}

func main() { service.Run(setup) }

func setup(s *service.Service, c config) error {
	s.Job("report", func(ctx context.Context) error {
		return report(ctx, filepath.Join(c.State, "report.txt"), time.Now())
	})
	return nil
}

// report writes the file aside and renames it, so that a reader finds the old
// one or the new one, also when the job is stopped half-way.
func report(ctx context.Context, path string, now time.Time) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	aside := path + ".new"
	if err := os.WriteFile(aside, []byte(now.UTC().Format(time.RFC3339)+"\n"), 0o644); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(aside, path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
