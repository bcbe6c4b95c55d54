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

// bareHost is an infra repository with an inventory of one such host, in a group.
func bareHost(t *testing.T, group, variable string) string {
	t.Helper()
	dir := infraAt(t)
	ssh := filepath.Join(dir, "ssh")
	put(t, ssh, firstLogin)
	if err := os.Chmod(ssh, 0o755); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "hosts.ini"), "["+group+"]\nhost ansible_become=false ansible_ssh_executable="+ssh+" "+variable+"\n")
	put(t, filepath.Join(dir, "roles", "base", "tasks", "main.yml"), "- ansible.builtin.raw: touch closed\n")
	return dir
}

// TestInfraFirstLogin: the first run, which begins as root, goes on as the user that
// later runs log in as, wherever that is said.
func TestInfraFirstLogin(t *testing.T) {
	needs(t, "ansible-playbook")
	f := func(variable, config, environment string, flags ...string) {
		t.Helper()
		dir := bareHost(t, "proxy", variable)
		put(t, filepath.Join(dir, "ansible.cfg"), "[defaults]\nroles_path = roles\n"+config)
		put(t, filepath.Join(dir, "roles", "proxy", "tasks", "main.yml"), "- ansible.builtin.raw: touch served\n")
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

// TestInfraHandlers: a program reads what was written for it also when a later task of
// its role fails, since the next run has nothing to tell it.
func TestInfraHandlers(t *testing.T) {
	needs(t, "ansible-playbook")
	for _, role := range []string{"proxy", "monitoring"} {
		dir := bareHost(t, role, "ansible_user=alice")
		put(t, filepath.Join(dir, "roles", role, "tasks", "main.yml"), "- ansible.builtin.raw: touch written\n  notify: Reload\n- ansible.builtin.raw: exit 1\n")
		put(t, filepath.Join(dir, "roles", role, "handlers", "main.yml"), "- name: Reload\n  ansible.builtin.raw: touch reloaded\n")
		cmd := exec.Command("ansible-playbook", "-i", "hosts.ini", "site.yml")
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if _, missing := os.Stat(filepath.Join(dir, "reloaded")); err == nil || missing != nil {
			t.Errorf("%s: %v, %v\n%s", role, err, missing, out)
		}
	}
}
