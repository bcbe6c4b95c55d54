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

// pipeline is a lab with a git server (a folder), on which the pipelines that
// `kinectl init` writes take a service from a commit to the hosts.
type pipeline struct {
	*fixture
	origin, work string            // of the service: the bare repository, the developer's clone
	variables    map[string]string // as docs/pipelines.md says
	secrets      map[string]string // one line of each
	ssh          string            // the folder ~/.ssh of a job
}

// TestPipeline pushes branches and tags, and runs what GitLab CI and GitHub
// Actions would: script for script, each job in a fresh clone.
func TestPipeline(t *testing.T) {
	p := newPipeline(t)
	p.lints(t)
	t.Run("install kinectl", p.install)
	t.Run("gitlab", p.gitlab)
	t.Run("github", p.github)
}

func newPipeline(t *testing.T) *pipeline {
	t.Helper()
	const name = "pipeline"
	dir := t.TempDir()
	p := &pipeline{
		fixture: &fixture{kinectl: road.kinectl, dir: dir, repo: filepath.Join(dir, "repo")},
		origin:  filepath.Join(dir, "shop.git"), work: filepath.Join(dir, "shop"), ssh: filepath.Join(dir, "ssh"),
	}
	s := &shell{p.fixture}
	s.must(t, "repo", "init", p.repo, "--key", s.key())
	down := func() { s.must(t, "lab", "down", "--name", name) }
	down()
	t.Cleanup(down)
	s.must(t, "lab", "up", "--name", name, "--hosts", "2", "--repo", p.repo)
	var err error
	if p.lab, err = lab.Open(name); err != nil {
		t.Fatal(err)
	}
	p.infra = p.lab.Infra()
	p.secrets = map[string]string{}
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

// answers wants both hosts healthy on a version that greets so.
func (p *pipeline) answers(t *testing.T, version, greeting string) {
	t.Helper()
	for _, h := range []string{"h1", "h2"} {
		p.expect(t, h, `curl -s http://127.0.0.1:8080/; curl -s http://127.0.0.1:9090/metrics | grep -c '^build_info{.*name="shop".*version="`+version+`"'; systemctl is-active shop`,
			greeting+" from shop\n1\nactive")
	}
}

// lints lets those look at the files who know them best.
func (p *pipeline) lints(t *testing.T) {
	tools, err := filepath.Abs("../tools/go.mod")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "tool", "-modfile="+tools, "actionlint", "-shellcheck", "shellcheck",
		filepath.Join(p.work, ".github/workflows/release.yml"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("actionlint: %v\n%s", err, out)
	}
	for _, j := range gitlabJobs(t, p.work, event{kind: "tag", ref: "v1.0.0"}) {
		cmd := exec.Command("shellcheck", "--shell=bash", "-")
		cmd.Stdin = strings.NewReader(j.scripts[0].text + "\n")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("shellcheck of %s: %v\n%s", j.name, err, out)
		}
	}
}

// install runs the first lines of both on a machine without kinectl, which
// gets it from the repository by apt.
func (p *pipeline) install(t *testing.T) {
	spec := filepath.Join(t.TempDir(), "spec.yml")
	write(t, spec, "service:\n  name: kinectl\n  group: operators\n  description: Releases services\n  exec: {start: none}\n")
	s := &shell{p.fixture}
	s.offers(t, spec, "kinectl", "1.0.0", "--binary", p.kinectl)
	gitlab := parsed[struct {
		Default struct {
			BeforeScript []string `yaml:"before_script"`
		}
	}](t, filepath.Join(p.work, ".gitlab-ci.yml"))
	action := parsed[struct{ Runs struct{ Steps []step } }](t, filepath.Join(p.work, ".github/actions/kinectl/action.yml"))
	p.sh(t, "h2", `mkdir /root/aside && mv /etc/apt/sources.list.d/* /root/aside`)
	defer p.sh(t, "h2", `mv /root/aside/* /etc/apt/sources.list.d`)
	for _, lines := range []string{gitlab.Default.BeforeScript[0], action.Runs.Steps[0].Run} {
		out, err := p.lab.Output(t.Context(), "h2", "env", "KINECTL_REPOSITORY_URL="+p.variables["KINECTL_REPOSITORY_URL"],
			"REPOSITORY_URL="+p.variables["KINECTL_REPOSITORY_URL"], "bash", "-euo", "pipefail", "-c", lines)
		if err != nil {
			t.Errorf("%v: %s\n%s", err, lines, out)
		}
		p.expect(t, "h2", `dpkg-query -W kinectl; kinectl --version | cut -d' ' -f1,2; apt-get -q -y purge kinectl >/dev/null; rm /usr/share/keyrings/kinectl.asc /etc/apt/sources.list.d/kinectl.list`,
			"kinectl\t1.0.0\nkinectl version")
	}
}

// gitlab takes two versions to the hosts, and goes back to the first.
func (p *pipeline) gitlab(t *testing.T) {
	names := func(e event, click bool) (names []string) {
		for _, j := range gitlabJobs(t, p.clone(t, e.ref), e) {
			if j.click == click {
				names = append(names, j.name)
			}
		}
		return names
	}
	run := func(e event, name string, artifacts string) string {
		t.Helper()
		checkout := p.clone(t, e.ref)
		for _, j := range gitlabJobs(t, checkout, e) {
			if j.name != name {
				continue
			}
			if artifacts != "" {
				if err := os.CopyFS(filepath.Join(checkout, "dist"), os.DirFS(filepath.Join(artifacts, "dist"))); err != nil {
					t.Fatal(err)
				}
			}
			p.runJob(t, checkout, j, p.variables)
			return checkout
		}
		t.Fatalf("%v has no job %s", e, name)
		return ""
	}
	p.git(t, p.work, "push", "-q", "origin", "HEAD:refs/heads/greeting")
	merge := event{kind: "merge", ref: "greeting"}
	if got := strings.Join(names(merge, false), " "); got != "lint" {
		t.Errorf("a merge request runs %s", got)
	}
	run(merge, "lint", "")
	for _, r := range []struct{ tag, greeting string }{{"v1.0.0", "hello"}, {"v1.1.0", "welcome"}} {
		p.release(t, r.tag, r.greeting)
		e := event{kind: "tag", ref: r.tag}
		if got := strings.Join(names(e, false), " "); got != "lint package publish" {
			t.Errorf("a tag runs %s", got)
		}
		if got := strings.Join(names(e, true), " "); got != "deploy rollback" {
			t.Errorf("a tag offers %s", got)
		}
		run(e, "lint", "")
		run(e, "publish", run(e, "package", ""))
		run(e, "deploy", "")
		p.answers(t, strings.TrimPrefix(r.tag, "v"), r.greeting)
	}
	run(event{kind: "tag", ref: "v1.1.0"}, "rollback", "")
	p.answers(t, "1.0.0", "hello")
}

// github does the same with a third version.
func (p *pipeline) github(t *testing.T) {
	values := map[string]string{}
	for name, value := range p.variables {
		kind := "vars."
		if name == "KINECTL_SIGNING_KEY" || name == "KINECTL_SSH_KEY" {
			kind = "secrets."
		}
		values[kind+name] = value
	}
	run := func(e event, want string) {
		t.Helper()
		var names []string
		for _, j := range githubJobs(t, p.clone(t, e.ref), e, values) {
			names = append(names, j.name)
			p.runJob(t, p.clone(t, e.ref), j, nil)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%v runs %q, want %q", e, got, want)
		}
	}
	p.git(t, p.work, "push", "-q", "origin", "HEAD:refs/heads/goodbye")
	run(event{kind: "merge", ref: "goodbye"}, "lint")
	p.release(t, "v1.2.0", "goodbye")
	run(event{kind: "tag", ref: "v1.2.0"}, "lint publish")
	click := func(action, version string) {
		t.Helper()
		run(event{kind: "click", ref: "main", inputs: map[string]string{"action": action, "version": version}}, "fleet")
	}
	click("deploy", "v1.2.0")
	p.answers(t, "1.2.0", "goodbye")
	click("rollback", "")
	p.answers(t, "1.0.0", "hello")
	click("rollback", "v1.2.0")
	p.answers(t, "1.2.0", "goodbye")
}
