package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// errNoFilm: the catalogue has no such film.
var errNoFilm = errors.New("no such film")

// store keeps films in PostgreSQL. It may be used by many at the same time.
type store struct{ pool *pgxpool.Pool }

// parseDSN reads where the database is: a URL or key=value pairs (libpq's
// connection strings), with pgxpool's own settings like pool_max_conns.
func parseDSN(dsn string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		// The cause may have parts of the password in its text.
		return nil, errors.New("read POSTGRES_DSN: it is not like postgres://user:password@host:5432/films")
	}
	config.ConnConfig.ConnectTimeout = 3 * time.Second
	config.ConnConfig.RuntimeParams["application_name"] = "films"
	return config, nil
}

// connect makes a pool of connections. The first is made when the first query
// comes, so that the service starts without its database too, and is not ready
// until that is there. The caller closes the pool.
func connect(dsn string) (*pgxpool.Pool, error) {
	config, err := parseDSN(dsn)
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		return nil, fmt.Errorf("make the pool of connections: %w", err)
	}
	return pool, nil
}

// add keeps a new film and returns it with its number.
func (s store) add(ctx context.Context, f Film) (Film, error) {
	const insert = `INSERT INTO films (title, year, minutes) VALUES ($1, $2, NULLIF($3, 0)) RETURNING id`
	if err := s.pool.QueryRow(ctx, insert, f.Title, f.Year, f.Minutes).Scan(&f.ID); err != nil {
		return Film{}, fmt.Errorf("add a film: %w", err)
	}
	return f, nil
}

// get returns one film, or errNoFilm.
func (s store) get(ctx context.Context, id int64) (Film, error) {
	films, err := s.query(ctx, `WHERE id = $1`, id)
	if err != nil {
		return Film{}, fmt.Errorf("get film %d: %w", id, err)
	}
	if len(films) == 0 {
		return Film{}, fmt.Errorf("get film %d: %w", id, errNoFilm)
	}
	return films[0], nil
}

// list returns at most limit films in the order of their numbers, from the one
// behind after.
func (s store) list(ctx context.Context, after int64, limit int) ([]Film, error) {
	films, err := s.query(ctx, `WHERE id > $1 ORDER BY id LIMIT $2`, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list films: %w", err)
	}
	return films, nil
}

func (s store) query(ctx context.Context, which string, args ...any) ([]Film, error) {
	rows, err := s.pool.Query(ctx, `SELECT id, title, year, COALESCE(minutes, 0) AS minutes FROM films `+which, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Film])
}
