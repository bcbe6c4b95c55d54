// Command films is a catalogue of films in PostgreSQL, over HTTP. Start at
// [setup]; api.go says what can be asked for.
//
//	films          serves
//	films migrate  brings the schema of the database up to date, before a new version serves
package main

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/kinectl/kinectl/service"
)

type config struct {
	Address service.Address `env:"HTTP_ADDRESS" envDefault:":8082" help:"where clients come to"`
	DSN     service.Secret  `env:"POSTGRES_DSN,required" help:"the database, like postgres://user:password@host:5432/films"`
}

func main() {
	service.Run(setup, service.Command[config]{Name: "migrate", Help: "brings the schema of the database up to date", Run: runMigrate})
}

func setup(s *service.Service, c config) error {
	pool, err := connect(c.DSN.Reveal())
	if err != nil {
		return err
	}
	s.OnClose("database", func(context.Context) error { pool.Close(); return nil })
	s.OnReady("database", pool.Ping)
	s.Metrics().MustRegister(newPoolMetrics(pool))
	s.HTTP(c.Address, newAPI(store{pool}, s.Log()))
	return nil
}

func runMigrate(ctx context.Context, s *service.Service, c config) error {
	config, err := parseDSN(c.DSN.Reveal())
	if err != nil {
		return err
	}
	conn, err := pgx.ConnectConfig(ctx, config.ConnConfig)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	taken, err := migrate(ctx, conn, migrations)
	if err != nil {
		return err
	}
	s.Log().InfoContext(ctx, "the schema is up to date", "taken", strings.Join(taken, " "))
	return nil
}
