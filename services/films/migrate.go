package main

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"path"

	"github.com/jackc/pgx/v5"
)

// migrations are the steps of the schema, in the order of their names. Those
// that were released are never changed. Each must suit the version before,
// which goes on running and may be gone back to: it adds, with a default or
// NULL; what nobody uses any more is removed a release later.
//
//go:embed migrations
var migrations embed.FS

// migrateLock is the advisory lock that makes two migrations of one database
// wait for each other. Any number will do that nobody else uses there.
const migrateLock = 0x66696c6d73 // "films"

// migrate brings the schema up to date and returns the steps that it took;
// there are none when it was. All of them are one transaction, so whatever
// ends it leaves the old schema or the new one. A step that has to wait more than
// five seconds for a table gives up, since all other queries wait behind it.
func migrate(ctx context.Context, conn *pgx.Conn, steps fs.FS) (taken []string, err error) {
	names, err := fs.Glob(steps, "migrations/*.sql") // sorted
	if err != nil {
		return nil, err
	}
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(migrateLock)); err != nil {
			return err
		}
		const prepare = `SET LOCAL lock_timeout = '5s';
			CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY, taken_at timestamptz NOT NULL DEFAULT now())`
		if _, err := tx.Exec(ctx, prepare, pgx.QueryExecModeSimpleProtocol); err != nil {
			return err
		}
		for _, file := range names {
			name := path.Base(file)
			tag, err := tx.Exec(ctx, `INSERT INTO migrations (name) VALUES ($1) ON CONFLICT DO NOTHING`, name)
			if err != nil {
				return err
			}
			if tag.RowsAffected() == 0 {
				continue // taken long ago
			}
			sql, err := fs.ReadFile(steps, file)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, string(sql), pgx.QueryExecModeSimpleProtocol); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			taken = append(taken, name)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	return taken, nil
}
