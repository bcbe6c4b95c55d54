package e2e

import (
	"bytes"
	"context"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"
)

// This file stands for the two systems that run pipelines: it reads their files
// as they do, as far as the files of `kinectl init` go, and stops at what it does not know.

// event is what a pipeline is started by.
type event struct {
	kind   string            // merge, tag or click
	ref    string            // branch or tag
	inputs map[string]string // of a click
}

// script is one piece of shell of a job, with the variables that it is given.
type script struct {
	text string
	env  map[string]string
}

// job is one job of a pipeline that an event starts.
type job struct {
	name    string
	click   bool // waits for somebody
	scripts []script
}

// parsed reads a YAML file of the checkout.
func parsed[T any](t *testing.T, file string) (v T) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err == nil {
		err = yaml.Unmarshal(text, &v)
	}
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return v
}

// gitlabJobs returns the jobs of .gitlab-ci.yml for an event, in the order of the stages.
func gitlabJobs(t *testing.T, checkout string, e event) []job {
	t.Helper()
	type definition struct {
		Stage        string
		Script       []string
		BeforeScript []string `yaml:"before_script"`
		Rules        []struct{ If, When string }
	}
	file := filepath.Join(checkout, ".gitlab-ci.yml")
	top := parsed[struct {
		Stages    []string
		Variables map[string]string
		Default   definition
	}](t, file)
	nodes := parsed[map[string]yaml.Node](t, file)
	rules := map[string]bool{
		`$CI_PIPELINE_SOURCE == "merge_request_event"`: e.kind == "merge",
		`$CI_COMMIT_TAG =~ /^v[0-9]/`:                  e.kind == "tag" && strings.HasPrefix(e.ref, "v"),
	}
	var jobs []job
	for _, stage := range top.Stages {
		for _, name := range slices.Sorted(maps.Keys(nodes)) {
			if strings.HasPrefix(name, ".") || slices.Contains([]string{"stages", "variables", "default"}, name) {
				continue
			}
			var d definition
			node := nodes[name]
			if err := node.Decode(&d); err != nil || len(d.Rules) == 0 || len(d.Script) == 0 {
				t.Fatalf("job %s: %+v, %v", name, d, err)
			}
			for _, r := range d.Rules {
				holds, known := rules[r.If]
				if !known {
					t.Fatalf("job %s: nobody here knows the rule %q", name, r.If)
				}
				if holds && d.Stage == stage {
					// GitLab runs all lines of a job in one shell.
					lines := strings.Join(append(slices.Clone(top.Default.BeforeScript), d.Script...), "\n")
					env := maps.Clone(top.Variables)
					if e.kind == "tag" {
						env["CI_COMMIT_TAG"] = e.ref
					}
					jobs = append(jobs, job{name, r.When == "manual", []script{{lines, env}}})
					break
				}
			}
		}
	}
	return jobs
}

// step is a step of a job of GitHub Actions, or of an action.
type step struct {
	Uses, Run, If string
	With, Env     map[string]string
}

// githubJobs returns the jobs of .github/workflows/release.yml for an event, in
// an order that their needs allow. values has vars.NAME and secrets.NAME.
func githubJobs(t *testing.T, checkout string, e event, values map[string]string) []job {
	t.Helper()
	w := parsed[struct {
		Jobs map[string]struct {
			If, Needs string
			Env       map[string]string
			Steps     []step
		}
	}](t, filepath.Join(checkout, ".github/workflows/release.yml"))
	conditions := map[string]bool{
		"":                            true,
		"github.event_name == 'push'": e.kind == "tag",
		"github.event_name != 'workflow_dispatch'": e.kind != "click",
		"github.event_name == 'workflow_dispatch'": e.kind == "click",
		"inputs.action == 'deploy'":                e.inputs["action"] == "deploy",
		"inputs.action == 'rollback'":              e.inputs["action"] == "rollback",
	}
	holds := func(condition string) bool {
		met, known := conditions[condition]
		if !known {
			t.Fatalf("nobody here knows the condition %q", condition)
		}
		return met
	}
	reference := regexp.MustCompile(`\$\{\{ ?([a-z]+\.[A-Za-z_-]+) ?\}\}`)
	filled := func(m map[string]string, inputs map[string]string) map[string]string {
		out := map[string]string{}
		for k, v := range m {
			out[k] = reference.ReplaceAllStringFunc(v, func(r string) string {
				name := reference.FindStringSubmatch(r)[1]
				if input, ok := strings.CutPrefix(name, "inputs."); ok {
					return inputs[input]
				}
				value, ok := values[name]
				if !ok {
					t.Fatalf("nobody has set %s", name)
				}
				return value
			})
		}
		return out
	}
	var jobs []job
	for _, name := range slices.SortedFunc(maps.Keys(w.Jobs), func(a, b string) int {
		if w.Jobs[b].Needs == a {
			return -1
		}
		return strings.Compare(a, b)
	}) {
		d := w.Jobs[name]
		if !holds(d.If) {
			continue
		}
		j := job{name: name}
		outer := filled(d.Env, e.inputs)
		for _, s := range d.Steps {
			if !holds(s.If) {
				continue
			}
			switch {
			case s.Uses == "actions/checkout@v4", s.Uses == "actions/setup-go@v5": // is done
			case strings.HasPrefix(s.Uses, "./"):
				action := parsed[struct{ Runs struct{ Steps []step } }](t, filepath.Join(checkout, s.Uses, "action.yml"))
				with := filled(s.With, e.inputs)
				for _, inner := range action.Runs.Steps {
					j.scripts = append(j.scripts, script{inner.Run, filled(inner.Env, with)})
				}
			case s.Run != "":
				env := maps.Clone(outer)
				maps.Copy(env, filled(s.Env, e.inputs))
				if e.kind == "tag" {
					env["GITHUB_REF_NAME"] = e.ref
				}
				j.scripts = append(j.scripts, script{s.Run, env})
			default:
				t.Fatalf("nobody here knows the step %+v", s)
			}
		}
		jobs = append(jobs, j)
	}
	return jobs
}

// runJob runs the scripts of a job one after the other in the checkout, on what
// is a new machine as far as ssh can tell, and returns their output.
func (p *pipeline) runJob(t *testing.T, checkout string, j job, more map[string]string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	exported := filepath.Join(t.TempDir(), "env") // $GITHUB_ENV
	write(t, exported, "")
	var out bytes.Buffer
	home, err := os.UserHomeDir()
	if err != nil {
		t.Fatal(err)
	}
	machine := []string{
		"PATH=" + filepath.Dir(p.kinectl) + ":" + os.Getenv("PATH"), "HOME=" + home, "GITHUB_ENV=" + exported,
		"XDG_STATE_HOME=" + t.TempDir(), "GOFLAGS=-mod=readonly", "GOPROXY=off", "CGO_ENABLED=0", "LANG=C.UTF-8",
	}
	defer endAgent(t, exported)
	start := time.Now()
	for i, s := range j.scripts {
		env := slices.Clone(machine)
		for name, value := range more {
			env = append(env, name+"="+value)
		}
		for name, value := range s.env {
			env = append(env, name+"="+value)
		}
		later, err := os.ReadFile(exported)
		if err != nil {
			t.Fatal(err)
		}
		env = append(env, strings.Fields(string(later))...)
		// The folder of ssh is empty at the start of a job, and gone after it.
		cmd := exec.CommandContext(ctx, "unshare", "--mount", "bash", "-euo", "pipefail", "-c",
			`mount --bind "$0" ~/.ssh; exec bash -euo pipefail -c "$1"`, p.sshFolder(t, i == 0), s.text)
		cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = checkout, env, &out, &out
		cmd.WaitDelay = time.Second
		if err := cmd.Run(); err != nil {
			t.Fatalf("job %s: %v, from\n%s\n%s", j.name, err, s.text, out.String())
		}
	}
	t.Logf("job %-9s %5.1f s", j.name, time.Since(start).Seconds())
	for name, secret := range p.secrets {
		if strings.Contains(out.String(), secret) {
			t.Errorf("job %s prints %s", j.name, name)
		}
		// grep ends with 1 where there is nothing (POSIX).
		grep := exec.Command("grep", "-rlFe", secret, checkout, p.ssh)
		if found, err := grep.CombinedOutput(); grep.ProcessState == nil || grep.ProcessState.ExitCode() != 1 {
			t.Errorf("job %s leaves %s in %s: %v", j.name, name, found, err)
		}
	}
	return out.String()
}

// endAgent ends the ssh-agent that a job has left running, as the system does
// with all that a job has started.
func endAgent(t *testing.T, exported string) {
	variables, err := os.ReadFile(exported)
	if err != nil || len(variables) == 0 {
		return
	}
	cmd := exec.Command("ssh-agent", "-k")
	cmd.Env = strings.Fields(string(variables))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("end the agent of a job: %v: %s", err, out)
	}
}
