// Command shell is the service of bench/size on the shell.
package main

import (
	"io"
	"net/http"

	"github.com/kinectl/kinectl/service"
)

type config struct {
	Address service.Address `env:"HTTP_ADDRESS" envDefault:":8080" help:"where requests are answered"`
}

func main() {
	service.Run(func(s *service.Service, c config) error {
		mux := http.NewServeMux()
		mux.HandleFunc("GET /hello/{name}", func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "hello "+r.PathValue("name")+"\n")
		})
		s.HTTP(c.Address, mux)
		return nil
	})
}
