package release

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/kinectl/kinectl/internal/needs"
)

// TestReadSettings asks the real ansible-config which file it reads and what it makes
// of it and of the environment, and compares.
func TestReadSettings(t *testing.T) {
	needs.Program(t, "ansible-config", "no playbook was run")
	said := func(pattern, output string) string {
		if m := regexp.MustCompile(`(?m)^` + pattern + ` = (.*)$`).FindStringSubmatch(output); m != nil && m[1] != "None" {
			return m[1]
		}
		return ""
	}
	f := func(want string, files map[string]string, environment ...string) {
		t.Helper()
		for _, v := range settingVariables() {
			t.Setenv(v.variable, "")
			os.Unsetenv(v.variable)
		}
		t.Setenv("ANSIBLE_CONFIG", "")
		os.Unsetenv("ANSIBLE_CONFIG")
		root := t.TempDir()
		dir := filepath.Join(root, "infra")
		t.Setenv("HOME", filepath.Join(root, "home"))
		for name, user := range files {
			write(t, filepath.Join(root, name), "[defaults]\nremote_user = "+user+" ; a person\nprivate_key_file = keys/a\n", 0o644)
		}
		for i := 0; i < len(environment); i += 2 {
			t.Setenv(environment[i], environment[i+1])
		}
		cmd := exec.Command("ansible-config", "dump", "--only-changed")
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if got, theirs := configurationFile(dir), said(`CONFIG_FILE\(\)`, string(out)); got != theirs {
			t.Errorf("the file is %q, and Ansible reads %q", got, theirs)
		}
		got := readSettings(dir)
		if user, theirs := got["defaults.remote_user"], said(`DEFAULT_REMOTE_USER\(.*\)`, string(out)); user != theirs || user != want {
			t.Errorf("the user is %q, Ansible says %q, want %q", user, theirs, want)
		}
		if key, theirs := got["defaults.private_key_file"], said(`DEFAULT_PRIVATE_KEY_FILE\(.*\)`, string(out)); key != theirs || key == "" {
			t.Errorf("the key is %q, and Ansible says %q", key, theirs)
		}
	}
	files := map[string]string{"infra/ansible.cfg": "beside", "home/.ansible.cfg": "home", "else/ansible.cfg": "else"}
	f("beside", files)
	f("else", files, "ANSIBLE_CONFIG", "../else/ansible.cfg")
	f("else", files, "ANSIBLE_CONFIG", "$HOME/../else") // a folder
	f("home", files, "ANSIBLE_CONFIG", "~/.ansible.cfg")
	f("beside", files, "ANSIBLE_CONFIG", "/nowhere/ansible.cfg")
	f("ann", files, "ANSIBLE_REMOTE_USER", "ann", "ANSIBLE_PRIVATE_KEY_FILE", "keys/b")
	delete(files, "infra/ansible.cfg")
	files["infra/other"] = ""
	f("home", files)
}

// TestOpenFolder passes over the file of a folder that anybody may write to.
func TestOpenFolder(t *testing.T) {
	t.Setenv("ANSIBLE_CONFIG", "x") // which t restores
	os.Unsetenv("ANSIBLE_CONFIG")
	root := t.TempDir()
	t.Setenv("HOME", root)
	dir, home := filepath.Join(root, "infra"), filepath.Join(root, ".ansible.cfg")
	write(t, home, "", 0o644)
	write(t, filepath.Join(dir, "ansible.cfg"), "", 0o644)
	if got := configurationFile(dir); got != filepath.Join(dir, "ansible.cfg") {
		t.Errorf("got %s", got)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if got := configurationFile(dir); got != home {
		t.Errorf("of an open folder: %s", got)
	}
}
