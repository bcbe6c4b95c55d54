package e2e

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// rotation changes the password of the vault, by way of a version that takes
// both, and then the password of the database.
func (s *shell) rotation(t *testing.T) {
	old, both := s.passwordFile(t, vaultFirst), s.passwordFile(t, vaultSecond, vaultFirst)
	s.offers(t, filmsSpec, "films", "1.1.0", "--vault-password-file", both)
	contains(t, s.must(t, s.on("deploy", filmsSpec, "--version", "1.1.0")...), "1.0.0 → 1.1.0, healthy")
	s.running(t, "1.1.0")

	before, err := os.ReadFile(s.infraFile())
	if err != nil {
		t.Fatal(err)
	}
	s.must(t, "vault", "rekey", s.infra, "--password-file", old, "--new-password-file", s.passwordFile(t, vaultSecond))
	after, err := os.ReadFile(s.infraFile())
	if err != nil || string(after) == string(before) {
		t.Fatalf("rekey has changed nothing: %v", err)
	}
	contains(t, s.must(t, s.on("deploy", filmsSpec, "--version", "1.1.0")...), "1.1.0, new configuration, healthy")

	s.offers(t, filmsSpec, "films", "1.2.0", "--vault-password-file", s.passwordFile(t, vaultSecond))
	s.sql(t, "", `ALTER ROLE films PASSWORD '`+databaseSecond+`'`) // who is logged in stays so
	s.expect(t, shellHost, `curl -s http://127.0.0.1:9092/ready`, "ready")
	s.keeps(t, vaultSecond, dsn(databaseSecond))
	contains(t, s.must(t, s.on("deploy", filmsSpec, "--version", "1.2.0")...), "1.1.0 → 1.2.0, healthy")
	s.running(t, "1.2.0")
}

// wrongPassword releases a secret that the program has no password for: its
// migration does not start, so nothing else happens.
func (s *shell) wrongPassword(t *testing.T) {
	pid := s.sh(t, shellHost, `systemctl show -P MainPID films`)
	s.plainSecret(t)
	s.keeps(t, vaultFirst, dsn(databaseSecond))
	s.refuses(t, "1.2.0", 1)
	s.running(t, "1.2.0")
	s.expect(t, shellHost, `systemctl show -P MainPID films`, pid)
	s.keeps(t, vaultSecond, dsn(databaseSecond))
}

// plainSecret puts the DSN into the infra repository as it is, in two ways: the
// release ends before any host is asked, and names the variable.
func (s *shell) plainSecret(t *testing.T) {
	t.Helper()
	const logins = `journalctl -q --no-pager -o cat _COMM=sshd | grep -c '^Accepted '`
	before := s.sh(t, shellHost, logins) // of the releases until now, so not 0
	for variable, text := range map[string]string{
		"vault_films_dsn": "postgres_dsn: \"{{ vault_films_dsn }}\"\nvault_films_dsn: " + dsn(databaseSecond) + "\n",
		"postgres_dsn":    "postgres_dsn: " + dsn(databaseSecond) + "\n",
	} {
		write(t, s.infraFile(), text)
		out, code := s.run(t, s.on("deploy", filmsSpec, "--version", "1.2.0")...)
		if code != 2 || strings.Contains(out, databaseSecond) {
			t.Errorf("a plain %s: exit code %d, want 2, and no value\n%s", variable, code, out)
		}
		contains(t, out, "the variable "+variable+" ", shellHost, "kinectl vault encrypt")
	}
	s.expect(t, shellHost, logins, before)
}

// refuses deploys what cannot start: the variable is named, and no value shown.
func (s *shell) refuses(t *testing.T, version string, want int, more ...string) {
	t.Helper()
	out, code := s.run(t, append(s.on("deploy", filmsSpec, "--version", version), more...)...)
	if code != want {
		t.Errorf("deploy: exit code %d, want %d\n%s", code, want, out)
	}
	contains(t, out, "POSTGRES_DSN: no password fits")
	journal := s.sh(t, shellHost, `journalctl -q --no-pager -o export`)
	for _, secret := range []string{databaseFirst, databaseSecond, vaultFirst, vaultSecond, "JEFOU0lCTEVfVkFVTFQ7"} { // the last is how encrypted ones begin
		if strings.Contains(out, secret) || strings.Contains(journal, secret) {
			t.Errorf("%q is shown", secret)
		}
	}
}

// rollback goes back to the version and the configuration before.
func (s *shell) rollback(t *testing.T) {
	s.offers(t, filmsSpec, "films", "1.2.1", "--vault-password-file", s.passwordFile(t, vaultSecond))
	contains(t, s.must(t, s.on("deploy", filmsSpec, "--version", "1.2.1")...), "1.2.0 → 1.2.1, healthy")
	contains(t, s.must(t, s.on("rollback", filmsSpec)...), "1.2.1 → 1.2.0, healthy")
	s.running(t, "1.2.0")
}

// credential gives the password to the host in place of the program: a host
// without it is not touched, and with a wrong one the version before comes back.
func (s *shell) credential(t *testing.T) {
	const file = "/etc/credstore.encrypted/films.vault-password"
	spec := s.withCredential(t, "1.3.0")
	out, code := s.run(t, s.on("deploy", spec, "--version", "1.3.0")...)
	if code == 0 {
		t.Errorf("a host without the credential: exit code %d", code)
	}
	contains(t, out, file, "systemd-creds encrypt", shellHost)
	s.running(t, "1.2.0")

	// A new one: kept packages of the versions before have the old one in them.
	s.gives(t, vaultThird)
	s.keeps(t, vaultThird, dsn(databaseSecond))
	contains(t, s.must(t, s.on("deploy", spec, "--version", "1.3.0")...), "1.2.0 → 1.3.0, healthy")
	s.running(t, "1.3.0")
	s.place(t, postgresHost, map[string]string{"/root/films.vault-password": s.sh(t, shellHost, `cat `+file)})
	s.threatModel(t, "credential")

	s.keeps(t, vaultFirst, dsn(databaseSecond))
	out, code = s.run(t, s.on("deploy", spec, "--version", "1.3.0")...)
	if code != 3 {
		t.Errorf("a wrong password: exit code %d\n%s", code, out)
	}
	contains(t, out, "rolled back", "POSTGRES_DSN: no password fits")
	s.running(t, "1.3.0")
}

// gives encrypts the password of the vault for the host, on the host.
func (s *shell) gives(t *testing.T, password string) {
	t.Helper()
	s.place(t, shellHost, map[string]string{"/run/vault-password": password + "\n"})
	s.sh(t, shellHost, `mkdir -p -m 700 /etc/credstore.encrypted; systemd-creds encrypt --name=vault-password /run/vault-password /etc/credstore.encrypted/films.vault-password; rm /run/vault-password`)
}

// withCredential offers a version without a password in it, whose spec asks for
// a credential, and returns the spec. It has no migration, so that what does not
// start is the service.
func (s *shell) withCredential(t *testing.T, version string) (spec string) {
	t.Helper()
	dir := t.TempDir()
	s.must(t, "package", "-f", filmsSpec, "--version", version, "--format", "deb", "--arch", runtime.GOARCH, "-o", dir)
	if err := command(t.Context(), "dpkg-deb", "-x", filepath.Join(dir, "films_"+version+"_"+runtime.GOARCH+".deb"), dir); err != nil {
		t.Fatal(err)
	}
	spec = edited(t, "films", func(text string) string {
		text = strings.Replace(text, "    before: /usr/bin/films migrate\n", "", 1)
		return text + "  security: {credentials: [vault-password]}\n"
	})
	s.offers(t, spec, "films", version, "--binary", filepath.Join(dir, "usr/bin/films"))
	return spec
}
