package e2e

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const filmsSpec = "../services/films/spec.yml"

// infraFile is a file of variables of the group of films.
func (s *shell) infraFile() string {
	return filepath.Join(s.infra, "inventories", "lab", "group_vars", "applications.yml")
}

// dsn is what films needs to log in to its database.
func dsn(password string) string {
	return "postgres://films:" + password + "@" + postgresAddress + "/films?sslmode=require"
}

// keeps puts the DSN of films into the infra repository, encrypted by a password.
func (s *shell) keeps(t *testing.T, password, secret string) {
	t.Helper()
	write(t, s.infraFile(), "postgres_dsn: \"{{ vault_films_dsn }}\"\n"+s.encrypts(t, password, "vault_films_dsn", secret))
}

// encrypts returns the line that kinectl prints for the infra repository.
func (s *shell) encrypts(t *testing.T, password, name, secret string, more ...string) string {
	t.Helper()
	cmd := exec.Command(s.kinectl, append([]string{"vault", "encrypt", "--password-file", s.passwordFile(t, password), "--name", name}, more...)...)
	cmd.Stdin = strings.NewReader(secret)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	line, err := cmd.Output()
	if err != nil {
		t.Fatalf("vault encrypt: %v\n%s", err, &errs)
	}
	return string(line)
}

// running finds films healthy in this version.
func (s *shell) running(t *testing.T, version string) {
	t.Helper()
	s.expect(t, shellHost, `dpkg-query -W -f '${db:Status-Abbrev}${Version}' films; dpkg --verify films`, "ii "+version)
	s.expect(t, shellHost, `systemctl is-active films.service films.socket; systemctl show -P NRestarts films`, "active\nactive\n0")
	s.expect(t, shellHost, `curl -s http://127.0.0.1:9092/ready; curl -s http://127.0.0.1:9092/metrics | grep -c '^build_info{.*name="films".*version="`+version+`"'`, "ready\n1")
	s.expect(t, shellHost, `curl -s 'http://127.0.0.1:8082/films/1'`, `{"id":1,"title":"Metropolis","year":1927,"minutes":153}`)
}

// api releases films: its schema is made before it starts, and its DSN is
// encrypted until then.
func (s *shell) api(t *testing.T) {
	s.keeps(t, vaultFirst, dsn(databaseFirst))
	contains(t, s.must(t, s.on("deploy", filmsSpec, "--version", "1.0.0")...), "not installed → 1.0.0, healthy")
	if got := s.sql(t, "films", `SELECT name FROM migrations ORDER BY name`); got != "0001_films.sql\n0002_minutes.sql" {
		t.Errorf("migrations: %s", got)
	}
	s.expect(t, shellHost, `curl -s -w '%{http_code}' -d '{"title": "Metropolis", "year": 1927, "minutes": 153}' http://127.0.0.1:8082/films`,
		`{"id":1,"title":"Metropolis","year":1927,"minutes":153}`+"\n201")
	s.running(t, "1.0.0")
	s.expect(t, shellHost, `curl -s http://127.0.0.1:9092/metrics | grep '^http_request_duration_seconds_count{.*POST'`, `http_request_duration_seconds_count{code="2xx",method="POST",route="/films"} 1`)

	// It tells when the database is away, and comes back by itself.
	s.sh(t, postgresHost, `systemctl stop postgresql@15-main`)
	s.expect(t, shellHost, `curl -s -w '%{http_code}' http://127.0.0.1:9092/ready; curl -s -o /dev/null -w ' %{http_code}' http://127.0.0.1:9092/health`, "database is not ready\n503 200")
	s.sh(t, postgresHost, `systemctl start postgresql@15-main`)
	s.await(t, shellHost, `[ "$(curl -s http://127.0.0.1:9092/ready)" = ready ]`)
	s.running(t, "1.0.0")
}

// website releases the embedded site.
func (s *shell) website(t *testing.T) {
	spec := serviceSpec("site")
	s.must(t, "lint", spec)
	s.offers(t, spec, "site", "1.0.0")
	contains(t, s.must(t, s.on("deploy", spec, "--version", "1.0.0")...), "not installed → 1.0.0, healthy")
	const ask = `curl -s -o /dev/null -w '%{http_code} %header{cache-control} %header{content-encoding}' `
	page := s.sh(t, shellHost, `curl -s http://127.0.0.1:8081/`)
	contains(t, page, "<title>A site in one program</title>")
	s.expect(t, shellHost, ask+`http://127.0.0.1:8081/`, "200 no-cache ")
	s.expect(t, shellHost, ask+`-H "If-None-Match: $(curl -sI http://127.0.0.1:8081/ | tr -d '\r' | sed -n 's/^[Ee][Tt]ag: //p')" http://127.0.0.1:8081/`, "304 no-cache ")
	contains(t, s.sh(t, shellHost, `curl -s http://127.0.0.1:9091/metrics`), `build_info{`, `name="site"`, `version="1.0.0"`)

	// The next version, and back.
	s.offers(t, spec, "site", "1.1.0")
	contains(t, s.must(t, s.on("deploy", spec, "--version", "1.1.0")...), "1.0.0 → 1.1.0, healthy")
	contains(t, s.must(t, s.on("rollback", spec)...), "1.1.0 → 1.0.0, healthy")
}

// job releases the nightly job, whose timer waits, and starts it as the timer
// will: it reads the films of the API.
func (s *shell) job(t *testing.T) {
	spec := serviceSpec("report")
	s.must(t, s.on("deploy", spec, "--version", "1.0.0")...)
	s.expect(t, shellHost, `systemctl is-active report-nightly.timer; systemctl is-enabled report-nightly.timer; systemctl list-timers --no-legend report-nightly.timer | grep -o '03:30:00 UTC'`, "active\nenabled\n03:30:00 UTC")
	s.sh(t, shellHost, `systemctl start report-nightly.service`)
	var report struct{ Films, Minutes int }
	text := s.sh(t, shellHost, `cat /var/lib/report/report.json`)
	if err := json.Unmarshal([]byte(text), &report); err != nil || report.Films != 1 || report.Minutes != 153 {
		t.Errorf("report: %v\n%s", err, text)
	}
	s.expect(t, shellHost, `stat -c '%U %a' /var/lib/report/report.json; systemctl show -P Result report-nightly.service`, "report 640\nsuccess")

	// Without the API it fails, says why, and leaves the last report.
	s.sh(t, shellHost, `systemctl stop films.socket films.service; ! systemctl start report-nightly.service 2>/dev/null; systemctl reset-failed; systemctl start films.socket films.service`)
	contains(t, s.sh(t, shellHost, `journalctl -q -o cat -p err -u report-nightly.service`), "report failed", "connection refused")
	s.expect(t, shellHost, `cat /var/lib/report/report.json`, text)

	s.offers(t, spec, "report", "1.1.0")
	contains(t, s.must(t, s.on("deploy", spec, "--version", "1.1.0")...), "1.0.0 → 1.1.0")
	contains(t, s.must(t, s.on("rollback", spec)...), "1.1.0 → 1.0.0")
	s.expect(t, shellHost, `report --version | cut -d' ' -f1,2; systemctl is-active report-nightly.timer`, "report 1.0.0\nactive")
}
