package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
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
		p.variables["KINECTL_LIMIT"], p.variables["KINECTL_WAIT"], p.variables["KINECTL_SKIP_UNREACHABLE"] = "h1,h2", "30s", "true"
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
		run(event{kind: "click", ref: "main", inputs: map[string]string{"action": action, "version": version, "limit": "h1,h2", "wait": "30s", "skip-unreachable": "false"}}, "fleet")
	}
	click("deploy", "v1.2.0")
	p.answers(t, "1.2.0", "goodbye")
	click("rollback", "")
	p.answers(t, "1.0.0", "hello")
	click("rollback", "v1.2.0")
	p.answers(t, "1.2.0", "goodbye")
}
