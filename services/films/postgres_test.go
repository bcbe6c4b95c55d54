package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// postgres is a real PostgreSQL in a temporary folder, on a free port of
// loopback.
type postgres struct {
	dir, port string
	process   *exec.Cmd
	life      *os.File // ends it when this process ends, however that ends
	log       bytes.Buffer
	databases int
}

const superuser, password = "postgres", "s3cr3t of the test"

var errNoPostgres = errors.New("PostgreSQL is not installed")

// shared is the one of all tests, made for the first that needs it.
type shared struct {
	once sync.Once
	p    *postgres
	err  error
}

var cluster shared // of this test's process

func TestMain(m *testing.M) {
	code := m.Run()
	if cluster.p != nil {
		cluster.p.stop()
		os.RemoveAll(cluster.p.dir)
	}
	os.Exit(code)
}

// database makes a new, empty database and returns its DSN. Where there is no
// PostgreSQL the test is skipped, unless all programs must be there.
func database(t *testing.T) (dsn string) {
	t.Helper()
	cluster.once.Do(func() { cluster.p, cluster.err = newPostgres() })
	if errors.Is(cluster.err, errNoPostgres) && os.Getenv("KINECTL_E2E") != "required" {
		t.Skip("PostgreSQL is not installed: its tests were left out")
	}
	if cluster.err != nil {
		t.Fatal(cluster.err)
	}
	p := cluster.p
	conn, err := pgx.Connect(t.Context(), p.dsn("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	p.databases++
	name := "films" + strconv.Itoa(p.databases)
	if _, err := conn.Exec(t.Context(), `CREATE DATABASE `+name); err != nil {
		t.Fatal(err)
	}
	return p.dsn(name)
}

func (p *postgres) dsn(database string) string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword(superuser, password), Host: "127.0.0.1:" + p.port, Path: database, RawQuery: "sslmode=disable"}
	return u.String()
}

// newPostgres makes a cluster and starts it. PostgreSQL does not run as root:
// then it is the user postgres that Debian's package has.
func newPostgres() (_ *postgres, err error) {
	initdb, err := installed("initdb")
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "films")
	if err != nil {
		return nil, err
	}
	p := &postgres{dir: dir}
	defer func() {
		if err != nil {
			os.RemoveAll(dir)
		}
	}()
	secret := filepath.Join(dir, "password")
	err = errors.Join(os.WriteFile(secret, []byte(password), 0o644), os.Chmod(dir, 0o755), os.Mkdir(p.data(), 0o700))
	if err != nil {
		return nil, err
	}
	if os.Getuid() == 0 {
		if out, err := exec.Command("chown", "postgres", p.data()).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%w: %s", errNoPostgres, out)
		}
	}
	out, err := p.command(initdb, "-D", p.data(), "-U", superuser, "-A", "scram-sha-256", "--pwfile", secret, "-E", "UTF8", "--locale=C", "--no-sync").CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	_, p.port, _ = net.SplitHostPort(l.Addr().String())
	l.Close()
	return p, p.start()
}

func (p *postgres) data() string { return filepath.Join(p.dir, "data") }

// start starts the server and waits until it answers. A shell between it and
// this process ends it when this process is no more.
func (p *postgres) start() error {
	program, err := installed("postgres")
	if err != nil {
		return err
	}
	p.log.Reset()
	p.process = p.command("sh", "-c", `"$0" "$@" & server=$!; read -r _; kill -INT $server; wait $server`,
		program, "-D", p.data(), "-k", p.data(), "-p", p.port, "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "max_connections=50")
	p.process.Stdout, p.process.Stderr = &p.log, &p.log
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	p.process.Stdin, p.life = read, write
	if err := p.process.Start(); err != nil {
		return err
	}
	read.Close()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		conn, err := pgx.Connect(context.Background(), p.dsn("postgres"))
		if err == nil {
			return conn.Close(context.Background())
		}
		if time.Now().After(deadline) {
			p.stop()
			return fmt.Errorf("PostgreSQL does not answer: %w\n%s", err, p.log.String())
		}
	}
}

func (p *postgres) stop() {
	p.life.Close()
	_ = p.process.Wait()
}

// command runs a program as a user that PostgreSQL is content with.
func (p *postgres) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	if os.Getuid() == 0 {
		cmd = exec.Command("setpriv", append([]string{"--reuid=postgres", "--regid=postgres", "--init-groups", program}, args...)...)
	}
	cmd.Dir = p.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt of the terminal is for the test
	return cmd
}

// installed finds a program of PostgreSQL, which Debian keeps out of PATH.
func installed(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	all, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(all) == 0 {
		return "", errNoPostgres
	}
	slices.SortFunc(all, func(a, b string) int { return strings.Compare(b, a) })
	return all[0], nil
}
