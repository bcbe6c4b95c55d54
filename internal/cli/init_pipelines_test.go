package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

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
