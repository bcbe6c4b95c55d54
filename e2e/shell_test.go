package e2e

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/internal/lab"
)

// shell is a lab of its own for the example services, all on package service:
// h1 runs them, h2 has their database. Hosts of the other lab have no room for one.
type shell struct {
	*fixture
}

const shellHost = "h1"

// The passwords of the test, which docs/threat-model.md shows too.
const (
	databaseFirst  = "golem-1915" // of the role films
	databaseSecond = "faust-1926"
	vaultFirst     = "nosferatu-1922" // of the secrets of films
	vaultSecond    = "caligari-1920"
	vaultThird     = "orlac-1924"
)

// TestShell takes what each template makes from nothing to a release, and the three
// example services from lint to a rollback, with a real database and encrypted
// secrets. The parts build upon each other.
func TestShell(t *testing.T) {
	s := newShell(t)
	t.Run("ready", func(t *testing.T) {
		t.Run("PostgreSQL from our repository", func(t *testing.T) { t.Parallel(); s.postgres(t) })
		t.Run("packages of the others", func(t *testing.T) { t.Parallel(); s.packages(t) })
		t.Run("a website", func(t *testing.T) { t.Parallel(); s.website(t) })
		// On the same host at the same time, as it happens to teams that share one.
		t.Run("templates", func(t *testing.T) { t.Parallel(); s.templates(t) })
	})
	for _, part := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"an API with a database", s.api},
		{"a nightly job", s.job},
		{"restarts under load", s.restarts},
		{"threat model, password in the program", s.embedded},
		{"secrets change", s.rotation},
		{"a wrong password", s.wrongPassword},
		{"rollback", s.rollback},
		{"threat model, password as a credential", s.credential},
	} {
		if t.Failed() || !t.Run(part.name, part.run) {
			t.FailNow() // the next ones stand on it
		}
	}
}

func newShell(t *testing.T) *shell {
	t.Helper()
	return ownLab(t, "shell", "--hosts", "2", "--group", "applications", "--group", "cdn", "--group", "reports")
}

// ownLab is a lab beside that of the other tests, with an empty repository. The end of
// the test takes it away.
func ownLab(t *testing.T, name string, flags ...string) *shell {
	t.Helper()
	dir := t.TempDir()
	s := &shell{&fixture{kinectl: road.kinectl, dir: dir, repo: filepath.Join(dir, "repo")}}
	s.must(t, "repo", "init", s.repo, "--key", s.key())
	down := func() { s.must(t, "lab", "down", "--name", name) }
	down()
	t.Cleanup(down)
	s.must(t, append([]string{"lab", "up", "--name", name, "--repo", s.repo}, flags...)...)
	var err error
	if s.lab, err = lab.Open(name); err != nil {
		t.Fatal(err)
	}
	s.infra = s.lab.Infra()
	return s
}

func (s *shell) key() string { return filepath.Join(s.dir, "key.asc") }

// must calls kinectl, which must end well, and returns what it printed.
func (s *shell) must(t *testing.T, argv ...string) string {
	t.Helper()
	out, code := s.run(t, argv...)
	if code != 0 {
		t.Fatalf("kinectl %s: exit code %d\n%s", strings.Join(argv, " "), code, out)
	}
	return out
}

// on makes the arguments of a verb that touches h1, for the service of a spec.
func (s *shell) on(verb, spec string, more ...string) []string {
	return append([]string{verb, "-f", spec, "--infra", s.infra, "--env", "lab", "--limit", shellHost}, more...)
}

func serviceSpec(service string) string { return filepath.Join("..", "services", service, "spec.yml") }

// offers packages a version and publishes it.
func (s *shell) offers(t *testing.T, spec, service, version string, more ...string) {
	t.Helper()
	dist := t.TempDir()
	s.must(t, append([]string{"package", "-f", spec, "--version", version, "--format", "deb", "--arch", runtime.GOARCH, "-o", dist}, more...)...)
	s.publishFiles(t, filepath.Join(dist, service+"_"+version+"_"+runtime.GOARCH+".deb"))
}

func (s *shell) publishFiles(t *testing.T, files ...string) {
	t.Helper()
	s.must(t, append([]string{"repo", "publish", s.repo, "--key", s.key()}, files...)...)
}

// passwordFile is a file with a password a line.
func (s *shell) passwordFile(t *testing.T, passwords ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "films.password")
	if err := os.WriteFile(file, []byte(strings.Join(passwords, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// packages lints and packages two of the three as they stand, and publishes them.
func (s *shell) packages(t *testing.T) {
	for _, service := range []string{"films", "report"} {
		s.must(t, "lint", serviceSpec(service))
	}
	s.offers(t, serviceSpec("films"), "films", "1.0.0", "--vault-password-file", s.passwordFile(t, vaultFirst))
	s.offers(t, serviceSpec("report"), "report", "1.0.0")
}
