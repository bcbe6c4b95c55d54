// Command site is a static site in one program: its files are embedded in it,
// so that a release is one package and a rollback brings back the old pages
// too. Put yours into the folder public.
package main

import (
	"embed"
	"io/fs"

	"github.com/kinectl/kinectl/service"
	"github.com/kinectl/kinectl/service/site"
)

// The pages of public, with hashes in the names of what they load and with
// compressed forms. kinectl package has them made; by hand it is go generate.
//
//go:generate kinectl assets -o dist public
//go:embed all:dist
var dist embed.FS

type config struct {
	Address service.Address `env:"HTTP_ADDRESS" envDefault:":8081" help:"where browsers come to"`
}

func main() { service.Run(setup) }

func setup(s *service.Service, c config) error {
	pages, err := fs.Sub(dist, "dist")
	if err != nil {
		return err
	}
	// An application whose paths are made in the browser wants site.SPA() too.
	handler, err := site.New(pages)
	if err != nil {
		return err
	}
	s.HTTP(c.Address, handler)
	return nil
}
