package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/internal/repo"
)

// archive is a second package repository, beside that of the fixture: on one
// host services/repository serves it, on another apt installs from it.
type archive struct {
	*fixture
	server, client string // hosts
	location       string // as the publisher names it
	trusted        string // the key.asc that the client was given
}

const (
	archiveOrigin = "shop"
	archiveDir    = "/srv/repository" // on the server
	archiveURL    = "http://h4:8080"
	// What the client is told of it: its key, its source and its pin.
	archiveKey    = "/etc/apt/keyrings/shop.asc"
	archiveSource = "/etc/apt/sources.list.d/shop.sources"
	archivePin    = "/etc/apt/preferences.d/shop"
)

// TestRepository publishes over ssh to a directory on one host, where the
// packaged server offers it, and installs from there on another host with the
// apt that is there, verification on. The parts build upon each other.
func TestRepository(t *testing.T) {
	a := &archive{fixture: road, server: "h4", client: "h3", location: "ssh://deploy@h4" + archiveDir}
	a.publisher(t)
	a.overSSH(t)
	a.serve(t)
	a.introduce(t)
	for _, part := range []struct {
		name string
		run  func(*archive, *testing.T)
	}{
		{"install, upgrade, downgrade, pin", (*archive).life},
		{"the distribution's packages stay", (*archive).distribution},
		{"the service", (*archive).service},
		{"restarts", (*archive).restarts},
		{"Valid-Until", (*archive).validUntil},
		{"a changed byte", (*archive).changedByte},
		{"keys", (*archive).keys},
	} {
		if !t.Run(part.name, func(t *testing.T) { part.run(a, t) }) {
			t.FailNow() // the next ones stand on it
		}
	}
}

// publisher is who publishes: with keys of its own, and an ssh that knows the
// hosts of the lab. Nothing may be left in its temporary folder.
func (a *archive) publisher(t *testing.T) {
	t.Helper()
	ssh, err := exec.LookPath("ssh")
	if err != nil {
		t.Fatal(err)
	}
	bin, temporary := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "ssh"), []byte("#!/bin/sh\nexec "+ssh+" -F "+a.lab.SSHConfig()+` "$@"`+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if left, _ := filepath.Glob(filepath.Join(temporary, "kinectl*")); len(left) > 0 {
			t.Errorf("kinectl left behind: %v", left)
		}
	})
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	t.Setenv("TMPDIR", temporary)
}

// repo calls a verb of kinectl repo, which must end well.
func (a *archive) repo(t *testing.T, verb string, more ...string) string {
	t.Helper()
	out, code := a.run(t, append([]string{"repo", verb, a.location}, more...)...)
	if code != 0 {
		t.Fatalf("repo %s %v: exit code %d\n%s", verb, more, code, out)
	}
	return out
}

// overSSH makes the repository on the server, as the user who owns it there.
func (a *archive) overSSH(t *testing.T) {
	t.Helper()
	a.run(t, a.fleet("remove", "", "--limit", a.server)...) // it has the ports
	t.Cleanup(func() {
		a.sh(t, a.server, `rm -rf `+archiveDir)
		a.deploy(t, 0, first, "--limit", a.server)
	})
	a.sh(t, a.server, `umask 077; install -d -o deploy -g deploy -m 755 `+archiveDir+`; cd `+archiveDir+`; ! ls -A | grep .`)
	contains(t, a.repo(t, "init", "--name", archiveOrigin), "made repository "+a.location+", origin shop, suite stable", "private key ")
	contains(t, a.repo(t, "init", "--suite", "testing"), "made repository")
	contains(t, a.repo(t, "init"), "unchanged:")
	a.expect(t, a.server, `cd `+archiveDir+`; find . ! -name .lock -printf '%y %m %u\n' | sort -u; find . -name '.[!.]*' ! -name .lock ! -name .expired`,
		"d 755 deploy\nf 644 deploy")

	// Another user of the machine finds the same, and no private key is there.
	out, code := a.run(t, "repo", "verify", "ssh://root@h4"+archiveDir)
	if code != 0 {
		t.Fatalf("repo verify as root: exit code %d\n%s", code, out)
	}
	contains(t, out, "checked 0 packages (0 B) in 2 suites: 0 problems")
	a.expect(t, a.server, `grep -rl PRIVATE `+archiveDir+`; true`, "")
}

// serve packages the server by its own spec and releases it as any other
// service, through the repository of the fixture.
func (a *archive) serve(t *testing.T) {
	t.Helper()
	const file, version = "../services/repository/spec.yml", "1.0.0"
	dist := t.TempDir()
	infra := filepath.Join(t.TempDir(), "infra") // with the group that the spec names
	if err := os.CopyFS(infra, os.DirFS(a.infra)); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(infra, "inventories", "lab", "repository.yml"), "repository: {hosts: {"+a.server+": {}}}\n")
	fleet := []string{"-f", file, "--infra", infra, "--env", "lab"}
	for _, argv := range [][]string{
		{"lint", "-f", file},
		{"package", "-f", file, "--version", version, "--format", "deb", "--arch", runtime.GOARCH, "-o", dist},
		{"repo", "publish", a.fixture.repo, "--key", filepath.Join(a.dir, "key.asc"), filepath.Join(dist, "repository_"+version+"_"+runtime.GOARCH+".deb")},
		append([]string{"deploy", "--version", version}, fleet...),
	} {
		if out, code := a.run(t, argv...); code != 0 {
			t.Fatalf("kinectl %v: exit code %d\n%s", argv, code, out)
		}
	}
	t.Cleanup(func() {
		if out, code := a.run(t, append([]string{"remove"}, fleet...)...); code != 0 {
			t.Errorf("remove: exit code %d\n%s", code, out)
		}
	})
}

// introduce gives the client what it needs to trust the repository.
func (a *archive) introduce(t *testing.T) {
	t.Helper()
	a.trusted = a.sh(t, a.server, `cat `+archiveDir+`/key.asc`) + "\n"
	source := strings.ReplaceAll(string(repo.AptSource(archiveURL, "stable")), repo.AptKeyPath, archiveKey)
	a.place(t, a.client, map[string]string{archiveKey: a.trusted, archiveSource: source, archivePin: string(repo.AptPin(archiveOrigin))})
	t.Cleanup(func() {
		a.sh(t, a.client, `dpkg --purge shop; rm -rf `+archiveKey+` `+archiveSource+` `+archivePin+`; apt-get clean; apt-get -q update`)
	})
	a.update(t, "")
}

// update lets the client read the lists anew, from nothing. It must end well,
// or refuse with these words.
func (a *archive) update(t *testing.T, refusal string) {
	t.Helper()
	out := a.sh(t, a.client, `rm -f /var/lib/apt/lists/h4* /var/lib/apt/lists/partial/h4*; apt-get -q -o APT::Update::Error-Mode=any update 2>&1; echo "exit code $?"`)
	switch ended := strings.HasSuffix(out, "\nexit code 0"); {
	case refusal == "" && !ended:
		t.Fatalf("apt-get update:\n%s", out)
	case refusal != "" && (ended || !strings.Contains(out, refusal)):
		t.Fatalf("apt-get update does not refuse with %q:\n%s", refusal, out)
	}
}

// deb builds a package of somebody else and returns its file.
func deb(t *testing.T, name, version string) string {
	t.Helper()
	root := t.TempDir()
	write(t, filepath.Join(root, "DEBIAN", "control"), "Package: "+name+"\nVersion: "+version+
		"\nArchitecture: all\nMaintainer: Example <team@example.com>\nDescription: For the test of the repository\n")
	write(t, filepath.Join(root, "usr/share", name, "version"), version+"\n")
	file := filepath.Join(t.TempDir(), name+".deb")
	if err := command(t.Context(), "dpkg-deb", "--root-owner-group", "--build", root, file); err != nil {
		t.Fatal(err)
	}
	return file
}

// versions lists what a suite has of a package, the oldest first.
func (a *archive) versions(t *testing.T, suite, name string) string {
	t.Helper()
	var list struct{ Packages []struct{ Version string } }
	out := a.repo(t, "list", name, "--suite", suite, "--json")
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var versions []string
	for _, p := range list.Packages {
		versions = append(versions, p.Version)
	}
	return strings.Join(versions, " ")
}
