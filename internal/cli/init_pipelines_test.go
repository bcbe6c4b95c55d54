package cli_test

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/kinectl/kinectl/internal/cli"
)

// TestInitPipelines holds which files --ci writes.
func TestInitPipelines(t *testing.T) {
	t.Setenv("KINECTL_LIBRARY", "")
	t.Setenv("PATH", t.TempDir())
	f := func(want string, args ...string) {
		t.Helper()
		_, stdout, _ := initialise(t, "1.7.8", args...)
		var got []string
		for line := range strings.Lines(stdout) {
			if _, path, ok := strings.Cut(strings.TrimSpace(line), "/films/.git"); ok && path != "ignore" {
				got = append(got, ".git"+path)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%v: wrote %q, want %q", args, got, want)
		}
	}
	const gitlab, github = ".gitlab-ci.yml", ".github/actions/kinectl/action.yml .github/workflows/release.yml"
	f(github + " " + gitlab)
	f(gitlab, "--ci", "gitlab")
	f(github, "--ci", "github")
	f(github+" "+gitlab, "--ci", "github,gitlab")
	f("", "--ci", "none")

	for _, bad := range []string{"jenkins", "gitlab,none", "none,gitlab"} {
		dir := filepath.Join(t.TempDir(), "films")
		var said strings.Builder
		code := cli.Run(t.Context(), "1.7.8", []string{"init", dir, "--ci", bad}, strings.NewReader(""), &said, &said)
		if _, err := os.Stat(dir); code != 2 || err == nil || !strings.Contains(said.String(), "hint: --ci is none, or any of gitlab,github") {
			t.Errorf("--ci %s: exit code %d, %s", bad, code, said.String())
		}
	}
}

// TestInitSaysReplace holds that the command in the warning of a development
// build is all that its service lacks.
func TestInitSaysReplace(t *testing.T) {
	t.Setenv("KINECTL_LIBRARY", "")
	dir := filepath.Join(t.TempDir(), "films")
	var stdout, stderr strings.Builder
	if code := cli.Run(t.Context(), "dev", []string{"init", dir, "--ci", "none"}, strings.NewReader(""), &stdout, &stderr); code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr.String())
	}
	command := regexp.MustCompile("`(go mod edit .*?)`").FindStringSubmatch(stderr.String())
	if command == nil {
		t.Fatalf("no command in %q", stderr.String())
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", strings.ReplaceAll(command[1], "CHECKOUT", root)+" && go mod tidy && go build ./...")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// TestPipelineFleet runs the lines of both pipelines that deploy and roll back: a plan
// is for the log, whatever it says, and the job ends as the deploy does.
func TestPipelineFleet(t *testing.T) {
	t.Setenv("KINECTL_LIBRARY", "")
	t.Setenv("GOPROXY", "off")
	dir, bin := filepath.Join(t.TempDir(), "films"), t.TempDir()
	if code := cli.Run(t.Context(), "1.7.8", []string{"init", dir}, strings.NewReader(""), io.Discard, io.Discard); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	fake := "#!/bin/sh\nfor a; do printf '<%s>' \"$a\"; done; echo\n[ \"$1\" != plan ] || exit 4\nexit \"${DEPLOYS:-0}\"\n"
	if err := os.WriteFile(filepath.Join(bin, "kinectl"), []byte(fake), 0o755); err != nil {
		t.Fatal(err)
	}
	type steps struct{ Steps []struct{ If, Run string } }
	var gitlab struct{ Deploy, Rollback struct{ Script []string } }
	var github struct{ Jobs struct{ Fleet steps } }
	read := func(file string, into any) {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err == nil {
			err = yaml.Unmarshal(text, into)
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
	read(".gitlab-ci.yml", &gitlab)
	read(".github/workflows/release.yml", &github)
	scripts := map[string][]string{ // after the login and the clone
		"deploy":   {strings.Join(gitlab.Deploy.Script[2:], "\n")},
		"rollback": {strings.Join(gitlab.Rollback.Script[2:], "\n")},
	}
	for job := range scripts {
		for _, s := range github.Jobs.Fleet.Steps {
			if s.If == "inputs.action == '"+job+"'" {
				scripts[job] = append(scripts[job], s.Run)
			}
		}
		if len(scripts[job]) != 2 {
			t.Fatalf("%s: %q", job, scripts[job])
		}
	}
	f := func(job string, code int, want string, env ...string) {
		t.Helper()
		for i, script := range scripts[job] {
			cmd := exec.Command("bash", "-euo", "pipefail", "-c", script)
			cmd.Env = append([]string{"PATH=" + bin + ":" + os.Getenv("PATH"), "KINECTL_ENV=production", "CI_COMMIT_TAG=v1.2.0", "VERSION=v1.2.0", "KINECTL_TO=v1.2.0", "LIMIT="}, env...)
			out, _ := cmd.CombinedOutput()
			if string(out) != want || cmd.ProcessState.ExitCode() != code {
				t.Errorf("%d: exit code %d, want %d; got\n%s\nwant\n%s", i, cmd.ProcessState.ExitCode(), code, out, want)
			}
		}
	}
	const all = "<--infra><infra><--env><production><--limit><><--skip-unreachable=false>"
	f("deploy", 0, "<plan><--version><v1.2.0>"+all+"\n<deploy><--version><v1.2.0>"+all+"<--wait><0><--yes>\n")
	f("deploy", 3, "<plan><--version><v1.2.0>"+all+"\n<deploy><--version><v1.2.0>"+all+"<--wait><0><--yes>\n", "DEPLOYS=3")
	f("rollback", 4, "<rollback><--to><v1.2.0>"+all+"<--wait><0><--yes>\n", "DEPLOYS=4")
	const some = "<--infra><infra><--env><production><--limit><h1,h2:!h3><--skip-unreachable=true>"
	set := []string{
		"KINECTL_LIMIT=h1,h2:!h3", "KINECTL_WAIT=10m", "KINECTL_SKIP_UNREACHABLE=true",
		"LIMIT=h1,h2:!h3", "WAIT=10m", "SKIP_UNREACHABLE=true",
	} // as inputs on GitHub
	f("deploy", 0, "<plan><--version><v1.2.0>"+some+"\n<deploy><--version><v1.2.0>"+some+"<--wait><10m><--yes>\n", set...)
	f("rollback", 0, "<rollback><--to><v1.2.0>"+some+"<--wait><10m><--yes>\n", set...)
}
