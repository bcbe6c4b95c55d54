package release

import (
	"strings"
	"testing"
)

func TestSSHCommand(t *testing.T) {
	const usual = "ssh -n -o BatchMode=yes -o ConnectTimeout=8 -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -o ControlMaster=no -o ControlPath=none"
	f := func(vars map[string]string, config, want string) {
		t.Helper()
		argv, err := sshCommand("h1", "/infra/inventories/lab", vars, parseSettings(config), "true; false")
		got := strings.Join(argv, " ")
		if err != nil {
			got = err.Error()
		}
		if got = strings.TrimPrefix(got, usual+" "); got != want {
			t.Errorf("%v:\n got %s\nwant %s", vars, got, want)
		}
	}
	f(nil, "", "-- h1 true; false")
	f(map[string]string{"ansible_host": "198.51.100.11", "ansible_user": "ann", "ansible_port": "2222", "ansible_ssh_private_key_file": "keys/a"}, "",
		"-p 2222 -l ann -i keys/a -- 198.51.100.11 true; false")
	f(map[string]string{"ansible_ssh_host": "old", "ansible_ssh_user": "ann"}, "", "-l ann -- old true; false")
	f(map[string]string{"ansible_ssh_common_args": `-F "a b/config"  -o 'ProxyCommand=nc %h'`, "ansible_ssh_extra_args": `-4`}, "", "-F a b/config -o ProxyCommand=nc %h -4 -- h1 true; false")
	f(map[string]string{"ansible_ssh_common_args": "-F {{ inventory_dir }}/{{ inventory_hostname }}"}, "", "-F /infra/inventories/lab/h1 -- h1 true; false")
	f(nil, "[defaults]\nremote_user = deploy ; a person\n# remote_port = 1\nhost_key_checking = False\n[ssh_connection]\nssh_args = -C\n", "-o StrictHostKeyChecking=no -l deploy -C -- h1 true; false")
	f(map[string]string{"ansible_user": "ann"}, "[defaults]\nremote_user = deploy", "-l ann -- h1 true; false")
	f(map[string]string{"ansible_connection": "local"}, "", "/bin/sh -c true; false")

	f(map[string]string{"ansible_user": "{{ login }}"}, "", "ansible_user of h1 is a template, which only Ansible can resolve: {{ login }}")
	f(map[string]string{"ansible_connection": "docker"}, "", "ansible_connection of h1 is docker, and not ssh")
	f(map[string]string{"ansible_ssh_extra_args": `-o "x`}, "", "ansible_ssh_extra_args of h1: a quote in it has no end")
}

// TestConnectionOf keeps passwords out of what is kept on disk.
func TestConnectionOf(t *testing.T) {
	got := connectionOf(map[string]any{"ansible_user": "ann", "ansible_port": float64(22), "ansible_password": "x", "ansible_become_password": "y", "log_level": "info"})
	if len(got) != 2 || got["ansible_user"] != "ann" || got["ansible_port"] != "22" {
		t.Errorf("got %v", got)
	}
}

func TestShellWords(t *testing.T) {
	f := func(line, want string) {
		t.Helper()
		words, err := shellWords(line)
		got := strings.Join(words, "|")
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: got %s, want %s", line, got, want)
		}
	}
	f("", "")
	f("  -o  a\tb\n", "-o|a|b")
	f(`"a b"'c d'e ''`, "a bc de|")
	f(`a\ b "\"" '\'`, `a b|"|\`)
	f(`"a`, "a quote in it has no end")
	f(`a\`, "a quote in it has no end")
}

func FuzzShellWords(f *testing.F) {
	f.Add(`-o "a b" 'c'`)
	f.Fuzz(func(t *testing.T, line string) {
		words, err := shellWords(line)
		if err != nil {
			return
		}
		quoted := make([]string, len(words))
		for i, w := range words {
			quoted[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		again, err := shellWords(strings.Join(quoted, " "))
		if err != nil || strings.Join(again, "\x00") != strings.Join(words, "\x00") {
			t.Errorf("%q: %q, and again %q, %v", line, words, again, err)
		}
	})
}
