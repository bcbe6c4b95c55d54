package e2e

import (
	"bytes"
	"context"
	"errors"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// postgres is Debian's, from our own repository, on the second host.
const (
	postgresHost    = "h2"
	postgresAddress = "198.51.100.12:5432"
	postgresPackage = "postgresql-15"
)

// postgres brings the database to its host, as an administrator does: the
// packages that Debian has for that host are published in our repository, and
// the host's apt installs them from there, its only source.
func (s *shell) postgres(t *testing.T) {
	files := s.debs(t, postgresHost, postgresPackage)
	s.publishFiles(t, files...)
	var exactly []string
	for _, file := range files {
		// name_version_architecture.deb, with the colon of an epoch as %3a
		name, err := url.PathUnescape(strings.ReplaceAll(filepath.Base(file), "+", "%2B"))
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(name, "_")
		exactly = append(exactly, parts[0]+"="+parts[1])
	}
	// Our pin lets no package of the host be replaced unless somebody names it: a
	// newer perl-base that perl wants is named. Nothing here must outlive a power cut.
	start := time.Now()
	const install = `mkdir -p /etc/postgresql-common/createcluster.d
		echo "initdb_options = '--no-sync'" >/etc/postgresql-common/createcluster.d/lab.conf
		apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends -o DPkg::Use-Pty=0 -o DPkg::Options::=--force-unsafe-io `
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	if out, err := s.lab.Output(ctx, postgresHost, "sh", "-c", install+strings.Join(exactly, " ")+" 2>&1"); err != nil {
		t.Fatalf("install PostgreSQL: %v\n%s", err, out)
	}
	t.Logf("%d packages installed in %.1f s", len(files), time.Since(start).Seconds())
	origin := s.sh(t, postgresHost, `LC_ALL=C apt-cache policy `+postgresPackage)
	contains(t, origin, "http://198.51.100.1:8080 stable/main") // and nowhere else:
	if n := strings.Count(origin, "http"); n != 1 {
		t.Errorf("%s comes from %d sources:\n%s", postgresPackage, n, origin)
	}

	// Peer authentication: root becomes the user postgres, and that is all.
	s.sql(t, "", `CREATE ROLE films LOGIN PASSWORD '`+databaseFirst+`'`, `CREATE DATABASE films OWNER films`)
	s.sh(t, postgresHost, `printf "listen_addresses = '*'\nfsync = off\n" >/etc/postgresql/15/main/conf.d/lab.conf
		echo 'hostssl films films 198.51.100.0/24 scram-sha-256' >>/etc/postgresql/15/main/pg_hba.conf
		systemctl restart postgresql@15-main`)
}

// sql lets the superuser say something in a database. What is said goes over
// standard input: a password has no place in an argument list.
func (s *shell) sql(t *testing.T, database string, statements ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out bytes.Buffer
	err := s.lab.Exec(ctx, postgresHost, strings.NewReader(strings.Join(statements, ";\n")+";\n"), &out, &out,
		"runuser", "-u", "postgres", "--", "sh", "-c", `cd / && exec psql -qtA -v ON_ERROR_STOP=1 -d "$0"`, database)
	if err != nil {
		t.Fatalf("psql %s: %v\n%s", database, err, &out)
	}
	return strings.TrimSpace(out.String())
}

// debs returns the files of a package of Debian and of all that a host lacks
// for it. They are kept in the user's cache.
func (s *shell) debs(t *testing.T, host, name string) []string {
	t.Helper()
	if _, err := exec.LookPath("apt-get"); err != nil {
		if os.Getenv("KINECTL_E2E") == "required" {
			t.Fatal("apt-get is not installed")
		}
		t.Skip("there is no apt-get here to fetch Debian's packages with: what needs them was left out")
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	kept, none := filepath.Join(cache, "kinectl", "debs"), t.TempDir()
	if err := os.MkdirAll(filepath.Join(kept, "partial"), 0o755); err != nil {
		t.Fatal(err)
	}
	status := filepath.Join(none, "status")
	write(t, status, s.sh(t, host, `cat /var/lib/dpkg/status`)+"\n")
	apt := func(archives string, more ...string) (string, error) {
		// The lists are the machine's, what is installed is the host's.
		argv := append([]string{
			"-q", "-y", "--no-install-recommends", "-o", "Debug::NoLocking=true", "-o", "Dir::State::status=" + status,
			"-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=", "-o", "Dir::Cache::archives=" + archives + "/",
			"install", name,
		}, more...)
		out, err := exec.Command("apt-get", argv...).CombinedOutput()
		return string(out), err
	}
	for again := range 2 {
		out, err := apt(none, "--print-uris")
		var files []string
		for _, m := range regexp.MustCompile(`(?m)^'.*' (\S+\.deb) `).FindAllStringSubmatch(out, -1) {
			files = append(files, filepath.Join(kept, m[1]))
		}
		if err == nil && missingFile(files) {
			out, err = apt(kept, "--download-only")
		}
		if err == nil && len(files) > 0 {
			return files
		}
		if again == 1 {
			t.Fatalf("fetch %s: %v\n%s", name, err, out)
		}
		// Lists that are not there, or too old for the mirror.
		if err := command(t.Context(), "apt-get", "-qq", "update"); err != nil {
			t.Fatal(err)
		}
	}
	panic("unreachable")
}

func missingFile(files []string) bool {
	for _, file := range files {
		if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
			return true
		}
	}
	return false
}
