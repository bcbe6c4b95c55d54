// Command my-service answers over HTTP.
package main

import (
	"fmt"
	"net/http"

	"github.com/kinectl/kinectl/service"
)

// config comes from the environment; my-service --help shows it.
type config struct {
	HTTP     service.Address `env:"HTTP_ADDRESS" envDefault:":8080" help:"where it answers"`
	Greeting string          `env:"GREETING" envDefault:"hello" help:"first word of the answer"`
}

func main() { service.Run(setup) }

func setup(s *service.Service, c config) error {
	s.HTTP(c.HTTP, routes(c.Greeting))
	return nil
}

// routes is what the service answers. The patterns are the routes in the
// metrics.
func routes(greeting string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "%s from my-service\n", greeting)
	})
	return mux
}
