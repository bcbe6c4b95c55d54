package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/internal/cli"
	"github.com/kinectl/kinectl/internal/needs"
)

// TestMisuseOfTheFleet: a mistake on the command line of a verb that changes hosts is
// wrong usage, said with what to do, before any host or person is asked.
func TestMisuseOfTheFleet(t *testing.T) {
	needs.Program(t, "ansible-inventory", "no verb was called")
	needs.Program(t, "ansible", "no pattern was resolved")
	root := t.TempDir()
	for file, text := range map[string]string{
		"spec.yml":                           "service: {name: my-api, group: applications, description: Films, limits: {mem: 1G}}\n",
		"other.yml":                          "service: {name: my-api, group: encoders, description: Films, limits: {mem: 1G}}\n",
		"infra/inventories/production/hosts": "[applications]\nh1\nh2\n[monitoring]\nm1\n",
		"infra/inventories/production/group_vars/all.yml": "kinectl_repository: ../apt\n",
		"bin/ansible-playbook":                            "#!/bin/sh\n: >\"$ASKED\"\nexit 9\n",
	} {
		path := filepath.Join(root, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(root)
	asked := filepath.Join(root, "asked")
	for name, value := range map[string]string{
		"PATH": filepath.Join(root, "bin") + ":" + os.Getenv("PATH"), "ASKED": asked, "HOME": root, "XDG_CACHE_HOME": root, "XDG_STATE_HOME": root,
		"ANSIBLE_HOME": root, "KINECTL_INFRA": "infra", "KINECTL_ENV": "production",
	} {
		t.Setenv(name, value)
	}
	f := func(says, hint string, args ...string) {
		t.Helper()
		var out, errs strings.Builder
		code := cli.Run(t.Context(), "test", args, strings.NewReader(""), &out, &errs)
		if code != 2 || !strings.Contains(errs.String(), "error: "+says) || !strings.Contains(errs.String(), "hint: "+hint) || out.Len() > 0 {
			t.Errorf("%q: exit code %d, %q, %q; want %q, %q", args, code, out.String(), errs.String(), says, hint)
		}
		if _, err := os.Stat(asked); err == nil {
			t.Errorf("%q: the hosts were asked", args)
			_ = os.Remove(asked)
		}
	}
	for _, verb := range [][]string{{"plan", "--version", "1.2.0"}, {"deploy", "--version", "1.2.0"}, {"rollback"}, {"rollback", "--to", "1.2.0"}, {"restart"}, {"start"}, {"stop"}, {"remove"}} {
		with := func(more ...string) []string { return append(verb[:len(verb):len(verb)], more...) }
		f(`--serial: serial cannot be "0"`, "like 1, 25% or", with("--serial", "0")...)
		f("--limit h7: ", "one or more of h1 h2", with("--limit", "h7")...)
		f("--limit m1 leaves none of h1 h2", "one or more of h1 h2", with("--limit", "m1")...)
		f("no inventory of \"staging\"", "--infra names", with("--env", "staging")...)
		f("open nowhere.yml", "name the spec with -f", with("-f", "nowhere.yml")...)
		f("the inventory", "service.group of the spec", with("-f", "other.yml")...)
		if verb[0] != "plan" {
			f("--wait cannot be \"soon\"", "--wait: ", with("--wait", "soon")...)
			f("--wait cannot be negative", "how long to try again, like 10m", with("--wait", "-1m")...)
		}
	}
	f("--limit h?:!h?: ", "one or more of h1 h2", "remove", "--limit", "h?:!h?")
	f(`version "one two"`, "a version looks like 1.2.0", "rollback", "--to", "one two")
	f(`version "latest"`, "a version looks like 1.2.0", "deploy", "--version", "latest")
	f(`version "latest"`, "a version looks like 1.2.0", "plan", "--version", "latest")
}
