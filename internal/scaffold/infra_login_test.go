package scaffold

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// firstLogin plays ssh to a host that lets root in until the role base has been there,
// and alice from then on. It writes down as whom it was called.
const firstLogin = `#!/bin/sh
user=$LOCAL_USER
for word do
	case $word in 'User="'*) user=${word#*\"} user=${user%\"};; esac
done
allowed=root
if [ -e closed ]; then allowed=alice; fi
echo "$user" >>logins
if [ "$user" = "$allowed" ]; then exec sh -c "$word"; fi
echo "$user@host: Permission denied (publickey)." >&2
exit 255
`

// TestInfraFirstLogin: the first run, which begins as root, goes on as the user that
// later runs log in as, wherever that is said.
func TestInfraFirstLogin(t *testing.T) {
	needs(t, "ansible-playbook")
	f := func(variable, config, environment string, flags ...string) {
		t.Helper()
		dir := infraAt(t)
		put(t, filepath.Join(dir, "ssh"), firstLogin)
		if err := os.Chmod(filepath.Join(dir, "ssh"), 0o755); err != nil {
			t.Fatal(err)
		}
		put(t, filepath.Join(dir, "hosts.ini"), "[proxy]\nhost ansible_become=false ansible_ssh_executable="+filepath.Join(dir, "ssh")+" "+variable+"\n")
		put(t, filepath.Join(dir, "ansible.cfg"), "[defaults]\nroles_path = roles\n"+config)
		for role, does := range map[string]string{"base": "touch closed", "proxy": "touch served"} {
			put(t, filepath.Join(dir, "roles", role, "tasks", "main.yml"), "- ansible.builtin.raw: "+does+"\n")
		}
		cmd := exec.Command("ansible-playbook", append([]string{"-i", "hosts.ini", "site.yml"}, flags...)...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "LOCAL_USER=carol")
		if environment != "" {
			cmd.Env = append(cmd.Env, environment)
		}
		out, err := cmd.CombinedOutput()
		if _, missing := os.Stat(filepath.Join(dir, "served")); err != nil || missing != nil {
			logins, _ := os.ReadFile(filepath.Join(dir, "logins"))
			t.Errorf("%q: %v, logged in as %q\n%s", append(flags, variable, config, environment), err, strings.Fields(string(logins)), out)
		}
	}
	f("ansible_user=alice", "", "")
	f("", "remote_user = alice\n", "")
	f("", "", "ANSIBLE_REMOTE_USER=alice")
	f("", "", "", "-u", "alice")
	f("", "", "LOCAL_USER=alice") // nobody says it: ssh decides
}
