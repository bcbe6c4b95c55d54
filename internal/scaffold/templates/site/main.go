// Command my-service serves the pages of the folder public, which are in it.
package main

import (
	"embed"
	"io/fs"
	"net/http"

	"github.com/kinectl/kinectl/service"
	"github.com/kinectl/kinectl/service/site"
)

// The pages of public, with hashes in the names of what they load and with
// compressed forms. kinectl package has them made; by hand it is go generate.
//
//go:generate kinectl assets -o assets public
//go:embed all:assets
var assets embed.FS

// config comes from the environment; my-service --help shows it.
type config struct {
	HTTP service.Address `env:"HTTP_ADDRESS" envDefault:":8080" help:"where browsers come to"`
}

func main() { service.Run(setup) }

func setup(s *service.Service, c config) error {
	files, err := fs.Sub(assets, "assets")
	if err != nil {
		return err
	}
	h, err := pages(files)
	if err != nil {
		return err
	}
	s.HTTP(c.HTTP, h)
	return nil
}

// pages serves files. An application whose paths are made in the browser wants
// site.SPA() too.
func pages(files fs.FS) (http.Handler, error) { return site.New(files) }
