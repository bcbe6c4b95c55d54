package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/internal/lab"
)

// newPipeline starts the lab, and makes the repositories of the service and of the hosts.
func newPipeline(t *testing.T) *pipeline {
	t.Helper()
	const name = "pipeline"
	s := ownLab(t, name, "--hosts", "2")
	dir := s.dir
	p := &pipeline{
		fixture: s.fixture, secrets: map[string]string{},
		origin: filepath.Join(dir, "shop.git"), work: filepath.Join(dir, "shop"), ssh: filepath.Join(dir, "ssh"),
	}
	text := func(secret, file string) string {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if secret != "" {
			p.secrets[secret] = strings.Split(string(body), "\n")[3]
		}
		return string(body)
	}
	ssh := filepath.Dir(p.lab.SSHConfig())
	p.variables = map[string]string{
		"KINECTL_REPOSITORY":       p.repo,
		"KINECTL_REPOSITORY_URL":   "http://" + lab.Gateway + ":8080",
		"KINECTL_SIGNING_KEY":      text("the signing key", s.key()),
		"KINECTL_INFRA_REPOSITORY": filepath.Join(dir, "infra.git"),
		"KINECTL_SSH_KEY":          text("the ssh key", filepath.Join(ssh, "id_ed25519")),
		"KINECTL_KNOWN_HOSTS":      text("", filepath.Join(ssh, "known_hosts")),
	}

	// The infra repository as a team has it: who logs in where, but no key.
	inventory := filepath.Join(p.infra, "inventories", "lab", "hosts.yml")
	plain := regexp.MustCompile(`(?m)^ *(ansible_ssh_private_key_file|ansible_control_path_dir):.*\n`).ReplaceAllString(text("", inventory), "")
	plain = regexp.MustCompile(`(ansible_ssh_common_args:).*`).ReplaceAllString(plain,
		`$1 "-o ProxyUseFdpass=yes -o ProxyCommand='`+p.kinectl+` lab connect --name `+name+` %h %p'"`)
	infra := filepath.Join(dir, "infra")
	p.git(t, dir, "init", "-q", "-b", "main", "infra")
	production := filepath.Join(infra, "inventories", "production")
	if err := os.CopyFS(production, os.DirFS(filepath.Dir(inventory))); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(production, "hosts.yml"), plain)
	p.commit(t, infra, "two hosts")
	p.git(t, dir, "clone", "-q", "--bare", infra, p.variables["KINECTL_INFRA_REPOSITORY"])

	p.git(t, dir, "init", "-q", "--bare", "-b", "main", p.origin)
	s.must(t, "init", "--library", "..", p.work)
	change(t, filepath.Join(p.work, "spec.yml"), "path: /ready", "path: /ready\n      settle: 0s")
	p.git(t, p.work, "init", "-q", "-b", "main")
	p.git(t, p.work, "remote", "add", "origin", p.origin)
	p.commit(t, p.work, "a shop")
	return p
}

// git runs git as the developer, who has no configuration on this machine.
func (p *pipeline) git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
		"GIT_AUTHOR_NAME=dev", "GIT_AUTHOR_EMAIL=dev@example.com", "GIT_COMMITTER_NAME=dev", "GIT_COMMITTER_EMAIL=dev@example.com")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func (p *pipeline) commit(t *testing.T, dir, message string) {
	t.Helper()
	p.git(t, dir, "add", ".")
	p.git(t, dir, "commit", "-q", "-m", message)
}

// sshFolder is what a job has as ~/.ssh; it is empty for a new one.
func (p *pipeline) sshFolder(t *testing.T, fresh bool) string {
	t.Helper()
	home, err := os.UserHomeDir()
	if err == nil && fresh {
		err = os.RemoveAll(p.ssh)
	}
	if err == nil {
		err = os.MkdirAll(filepath.Join(home, ".ssh"), 0o700) // something to mount on
	}
	if err == nil {
		err = os.MkdirAll(p.ssh, 0o700)
	}
	if err != nil {
		t.Fatal(err)
	}
	return p.ssh
}

// release changes the service and pushes a tag.
func (p *pipeline) release(t *testing.T, tag, greeting string) {
	t.Helper()
	file := filepath.Join(p.work, "spec.yml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := regexp.MustCompile(`(?m)^    METRICS_ADDRESS=`).ReplaceAllString(regexp.MustCompile(`    GREETING=.*\n`).ReplaceAllString(string(text), ""), "    GREETING="+greeting+"\n    METRICS_ADDRESS=")
	write(t, file, changed)
	p.commit(t, p.work, "say "+greeting)
	p.git(t, p.work, "tag", tag)
	p.git(t, p.work, "push", "-q", "origin", "main", tag)
}

// clone is the fresh checkout that a job gets.
func (p *pipeline) clone(t *testing.T, ref string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "shop")
	p.git(t, p.dir, "clone", "-q", "--depth", "1", "--branch", ref, "file://"+p.origin, dir)
	return dir
}
