// Command report reads the catalogue of films once, over the API of the service
// films, and writes what is in it to a file. A timer starts it every night.
// Start at [setup].
package main

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/kinectl/kinectl/internal/atomicfile"
	"github.com/kinectl/kinectl/service"
)

type config struct {
	Films  string `env:"FILMS_URL" envDefault:"http://127.0.0.1:8082" help:"where the service films is"`
	Output string `env:"REPORT" envDefault:"/var/lib/report/report.json" help:"the file that is written"`
}

func main() { service.Run(setup) }

func setup(s *service.Service, c config) error {
	s.Job("report", func(ctx context.Context) error {
		films, err := fetch(ctx, &http.Client{Timeout: 30 * time.Second}, c.Films)
		if err != nil {
			return err
		}
		text, err := json.MarshalIndent(summarize(films, time.Now()), "", "  ")
		if err != nil {
			return err
		}
		if err := atomicfile.Write(c.Output, append(text, '\n'), 0o640); err != nil {
			return err
		}
		s.Log().InfoContext(ctx, "the report is written", "films", len(films), "file", c.Output)
		return nil
	})
	return nil
}
