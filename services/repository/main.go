// Command repository serves the directory of a package repository to apt and
// dnf. What it does is internal/repo/server; here is what its environment says.
package main

import (
	"context"
	"errors"

	"github.com/kinectl/kinectl/internal/repo/server"
	"github.com/kinectl/kinectl/service"
)

type config struct {
	Directory string          `env:"REPOSITORY" envDefault:"/srv/repository" help:"the directory of the repository"`
	Address   service.Address `env:"HTTP_ADDRESS" envDefault:":8080" help:"where clients come to"`
	AccessLog onOff           `env:"ACCESS_LOG" envDefault:"on" help:"on, or off for no line a request"`
}

// onOff is what a switch can be.
type onOff bool

func (o *onOff) UnmarshalText(text []byte) error {
	if string(text) != "on" && string(text) != "off" {
		return errors.New("must be on or off")
	}
	*o = string(text) == "on"
	return nil
}

func main() { service.Run(setup) }

func setup(s *service.Service, c config) error {
	files, err := server.Handler(c.Directory)
	if err != nil {
		return err
	}
	s.OnClose("repository", func(context.Context) error { return files.Close() })
	server.Add(s, c.Address, files, server.Options{Log: bool(c.AccessLog)})
	return nil
}
