package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// open connects to a database with the schema of steps.
func open(t *testing.T, dsn string, steps fs.FS) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	if _, err := migrateOnce(t.Context(), dsn, steps); err != nil {
		t.Fatal(err)
	}
	return pool
}

func migrateOnce(ctx context.Context, dsn string, steps fs.FS) ([]string, error) {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return nil, err
	}
	defer conn.Close(context.Background())
	return migrate(ctx, conn, steps)
}

func TestStore(t *testing.T) {
	s := store{open(t, database(t), migrations)}
	want := []Film{{Title: "Metropolis", Year: 1927, Minutes: 153}, {Title: "Сталкер", Year: 1979}, {Title: `'); DROP TABLE films; --`, Year: 2001, Minutes: 1}}
	for i, f := range want {
		got, err := s.add(t.Context(), f)
		if f.ID = got.ID; err != nil || got != f || f.ID == 0 {
			t.Fatalf("add %v: %v, %v", f, got, err)
		}
		want[i] = f
		if got, err = s.get(t.Context(), f.ID); err != nil || got != f {
			t.Errorf("get %v: %v, %v", f, got, err)
		}
	}
	if _, err := s.get(t.Context(), 1000); !errors.Is(err, errNoFilm) {
		t.Errorf("get none: %v", err)
	}
	list := func(after int64, limit int, want ...Film) {
		t.Helper()
		if got, err := s.list(t.Context(), after, limit); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%d films after %d: %v, %v, want %v", limit, after, got, err, want)
		}
	}
	list(0, 2, want[:2]...)
	list(want[1].ID, 2, want[2])
	list(want[2].ID, 2)
}

// TestMigrate takes each step once, and lets the version before go on adding
// films beside the new schema.
func TestMigrate(t *testing.T) {
	dsn := database(t)
	first, err := fs.ReadFile(migrations, "migrations/0001_films.sql")
	if err != nil {
		t.Fatal(err)
	}
	before := fstest.MapFS{"migrations/0001_films.sql": {Data: first}}
	f := func(steps fs.FS, want string) {
		t.Helper()
		if got, err := migrateOnce(t.Context(), dsn, steps); err != nil || strings.Join(got, " ") != want {
			t.Errorf("took %v, %v, want %s", got, err, want)
		}
	}
	f(before, "0001_films.sql")
	pool := open(t, dsn, before)
	oldVersion := func() {
		t.Helper()
		if _, err := pool.Exec(t.Context(), `INSERT INTO films (title, year) VALUES ('Solaris', 1972)`); err != nil {
			t.Error(err)
		}
	}
	oldVersion()
	f(migrations, "0002_minutes.sql")
	f(migrations, "")
	oldVersion()
	f(before, "") // an old version does not mind what newer ones have done
	films, err := store{pool}.list(t.Context(), 0, 10)
	if err != nil || len(films) != 2 || films[0].Minutes != 0 {
		t.Errorf("films of the old version: %v, %v", films, err)
	}
}

// TestMigrateTogether starts many at once: each step is taken by one of them.
func TestMigrateTogether(t *testing.T) {
	dsn := database(t)
	var group sync.WaitGroup
	var mu sync.Mutex
	var all []string
	for range 8 {
		group.Go(func() {
			taken, err := migrateOnce(t.Context(), dsn, migrations)
			mu.Lock()
			defer mu.Unlock()
			if all = append(all, taken...); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if got := strings.Join(all, " "); got != "0001_films.sql 0002_minutes.sql" {
		t.Errorf("taken: %s", got)
	}
}

// TestMigrateHalf has a second step that fails: the first is not there either.
func TestMigrateHalf(t *testing.T) {
	dsn := database(t)
	steps := fstest.MapFS{
		"migrations/0001_a.sql": {Data: []byte(`CREATE TABLE a (); CREATE TABLE b ();`)},
		"migrations/0002_b.sql": {Data: []byte(`CREATE TABLE c (); CREATE TABLE a ();`)},
	}
	if taken, err := migrateOnce(t.Context(), dsn, steps); err == nil || !strings.HasPrefix(err.Error(), "migrate: 0002_b.sql: ") || taken != nil {
		t.Errorf("took %v, %v", taken, err)
	}
	tables := func() (n int) {
		t.Helper()
		conn, err := pgx.Connect(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
		if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM pg_tables WHERE schemaname = 'public'`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := tables(); n != 0 {
		t.Errorf("half a migration left %d tables", n)
	}
	steps["migrations/0002_b.sql"] = &fstest.MapFile{Data: []byte(`CREATE TABLE c ();`)}
	if taken, err := migrateOnce(t.Context(), dsn, steps); err != nil || len(taken) != 2 || tables() != 4 {
		t.Errorf("took %v, %v: %d tables", taken, err, tables())
	}
}

// TestMigratePatience asks a step how long it would wait for a table that
// somebody uses: for ever is the default.
func TestMigratePatience(t *testing.T) {
	steps := fstest.MapFS{"migrations/0003_x.sql": {Data: []byte(`CREATE TABLE seen AS SELECT current_setting('lock_timeout') AS patience`)}}
	pool := open(t, database(t), steps)
	patience := func(query, want string) {
		t.Helper()
		var got string
		if err := pool.QueryRow(t.Context(), query).Scan(&got); err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", query, got, err, want)
		}
	}
	patience(`SELECT patience FROM seen`, "5s")
	patience(`SHOW lock_timeout`, "0")
}
