package repo

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goreleaser/nfpm/v2"
	_ "github.com/goreleaser/nfpm/v2/deb"
	"github.com/goreleaser/nfpm/v2/files"
	_ "github.com/goreleaser/nfpm/v2/rpm"

	"github.com/kinectl/kinectl/internal/repo/signing"
	"github.com/kinectl/kinectl/internal/repo/yum"
)

// required says that this is the full check, in which nothing may be left out.
func required() bool { return os.Getenv("KINECTL_E2E") == "required" }

// clientRepo is an empty repository at the time that real programs believe in.
func clientRepo(t *testing.T) (dir string, o Options) {
	t.Helper()
	base := t.TempDir()
	dir, o = filepath.Join(base, "repository"), Options{KeyDir: filepath.Join(base, "keys")}
	kind := signing.Ed25519 // quick to make
	if required() {
		kind = signing.RSA4096
	}
	if _, err := Init(t.Context(), dir, InitOptions{Options: o, KeyType: kind}); err != nil {
		t.Fatal(err)
	}
	return dir, o
}

// installable writes a package that dpkg or rpm really installs: the file
// /usr/share/NAME/version holds the version.
func installable(t *testing.T, format, name, version string) string {
	t.Helper()
	at := "/usr/share/" + name
	info := nfpm.WithDefaults(&nfpm.Info{
		Name: name, Version: version, Arch: "amd64", Release: map[string]string{"rpm": "1"}[format], Maintainer: "Jo Doe <jo@example.com>",
		Description: "A package for tests", MTime: clock, Section: "misc", Priority: "optional",
		Overridables: nfpm.Overridables{
			RPM: nfpm.RPM{BuildHost: "localhost"},
			Contents: files.Contents{
				{Destination: at, Type: files.TypeDir, FileInfo: &files.ContentFileInfo{Mode: 0o755, MTime: clock}},
				{Destination: at + "/version", Source: textFile(t, version), FileInfo: &files.ContentFileInfo{Mode: 0o644, MTime: clock}},
			},
		},
	})
	if err := nfpm.PrepareForPackager(info, format); err != nil {
		t.Fatal(err)
	}
	packager, err := nfpm.Get(format)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := packager.Package(info, &b); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), packager.ConventionalFileName(info))
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// client is a host with a root of its own, which trusts one repository.
type client struct {
	root   string
	env    []string
	before []string // comes before every command: dnf and its options
}

// run runs a command of the host's package manager: of apt's programs with its
// name, of dnf without.
func (c client) run(ctx context.Context, command ...string) (output string, err error) {
	command = slices.Concat(c.before, command)
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Dir = c.root + "/download"
	cmd.Env = slices.Concat(os.Environ(), []string{"LC_ALL=C.UTF-8", "http_proxy=", "no_proxy=*"}, c.env)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// must runs a command that must succeed without a complaint.
func (c client) must(t *testing.T, command ...string) string {
	t.Helper()
	out, err := c.run(t.Context(), command...)
	if err != nil || complains(out) {
		t.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, out)
	}
	return out
}

// complains says whether apt or dnf met anything that is not as it should be:
// they go on after some of it, and exit with 0.
func complains(output string) bool {
	for line := range strings.Lines(output) {
		for _, sign := range []string{"W:", "E:", "Err:", "Ign:", "Error", "[MIRROR]", "[FAILED]", "Failed", "Warning"} {
			if strings.HasPrefix(line, sign) {
				return true
			}
		}
	}
	return false
}

func put(t *testing.T, file string, body []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, body, 0o644); err != nil {
		t.Fatal(err)
	}
}

// aptClient is a host with the real apt.
func aptClient(t *testing.T, address, dir string) client {
	t.Helper()
	root := t.TempDir()
	key, err := os.ReadFile(filepath.Join(dir, keyName))
	if err != nil {
		t.Fatal(err)
	}
	put(t, root+AptKeyPath, key)
	put(t, root+AptSourcePath, bytes.ReplaceAll(AptSource("http://"+address, DefaultSuite), []byte(AptKeyPath), []byte(root+AptKeyPath)))
	put(t, root+AptPinPath, AptPin(DefaultOrigin))
	put(t, root+"/var/lib/dpkg/status", nil)
	put(t, root+"/apt.conf", fmt.Appendf(nil, `Dir "%[1]s";
Dir::State::status "%[1]s/var/lib/dpkg/status";
Dir::Bin::Methods "/usr/lib/apt/methods";
Dir::Bin::dpkg "/usr/bin/dpkg";
DPkg::Options { "--root=%[1]s"; "--log=%[1]s/dpkg.log"; };
APT::Architecture "amd64";
APT::Architectures { "amd64"; };
APT::Sandbox::User "root";
APT::Update::Error-Mode "any";
Acquire::Retries "0";
Debug::NoLocking "1";
`, root))
	for _, dir := range []string{
		"/var/lib/apt/lists/partial", "/var/cache/apt/archives/partial", "/etc/apt/apt.conf.d", "/download",
		"/var/log/apt", "/var/lib/dpkg/info", "/var/lib/dpkg/updates", "/var/lib/dpkg/triggers",
	} {
		if err := os.MkdirAll(root+dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return client{root: root, env: []string{"DEBIAN_FRONTEND=noninteractive", "APT_CONFIG=" + root + "/apt.conf"}}
}

// dnfClient is a host with the real dnf, which needs root for all it does in
// another root than this machine's.
func dnfClient(t *testing.T, address, dir string) client {
	t.Helper()
	root, config := t.TempDir(), t.TempDir()
	key, err := os.ReadFile(filepath.Join(dir, keyName))
	if err != nil {
		t.Fatal(err)
	}
	put(t, root+yum.KeyPath, key)
	put(t, config+"/repos/kinectl.repo", yum.Source("http://"+address, DefaultSuite, "file://"+root+yum.KeyPath))
	put(t, config+"/dnf.conf", []byte("[main]\n"))
	put(t, config+"/plugins/versionlock.conf", []byte("[main]\nenabled=1\nlocklist="+config+"/locked\n"))
	put(t, config+"/locked", nil)
	put(t, root+"/download/.keep", nil)
	return client{root: root, env: []string{"HOME=" + config}, before: []string{
		"dnf", "-y", "--config=" + config + "/dnf.conf", "--installroot=" + root, "--releasever=9", "--forcearch=x86_64",
		"--setopt=reposdir=" + config + "/repos", "--setopt=cachedir=" + config + "/cache", "--setopt=logdir=" + config,
		"--setopt=retries=1", "--setopt=pluginconfpath=" + config + "/plugins",
	}}
}

// rpm asks the database of packages on a host of dnfClient.
func (c client) rpm(ctx context.Context, args ...string) (string, error) {
	c.before = []string{"rpm", "--root=" + c.root}
	return c.run(ctx, args...)
}
