package secrets

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestLint says what is found in which file. "planted" is in each secret, and
// must never be shown.
func TestLint(t *testing.T) {
	raw, base := encrypted(t, "a secret", key("old"))
	f := func(file, text string, want ...string) {
		t.Helper()
		all := Lint([]File{{file, []byte(text)}})
		var got []string
		for _, x := range all {
			got = append(got, fmt.Sprintf("%s %d:%d %s", x.Rule, x.Line, x.Column, x.Path))
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: got %q, want %q in\n%s", file, got, want, text)
		}
		var shown bytes.Buffer
		_ = all.Write(&shown, false)
		if strings.Contains(shown.String(), "planted") {
			t.Errorf("%s: a secret is shown:\n%s", file, shown.String())
		}
	}
	const vars = "group_vars/all.yml"
	f(vars, "")
	f(vars, "vault_a: "+base+"\nvault_b: |\n"+indented("  ", raw)+"\nvault_c: \"{{ vault_a }}\"\npassword: \"{{ vault_a }}\"\nport: 80\n")
	f(vars, "films:\n  vault_a: planted\n", "plain-vault-variable 2:12 films.vault_a")
	f("group_vars/all", "vault_a: planted\n", "plain-vault-variable 1:10 vault_a")
	f(vars, "vault_a:\nvault_b: 12345\n", "plain-vault-variable 1:9 vault_a", "plain-vault-variable 2:10 vault_b")
	f(vars, "vault_a: [planted]\n", "plain-vault-variable 1:10 vault_a")
	f(vars, "vault_a: x{{ planted }}\n", "plain-vault-variable 1:10 vault_a")
	f(vars, "# größe\nvault_a: |\n  planted\n", "plain-vault-variable 2:10 vault_a")
	f(vars, "vault_a: !vault |\n"+indented("  ", raw)+"\n", "vault-tag 2:3 vault_a")
	f(vars, "ansible_become_password: !vault |\n"+indented("  ", raw)+"\n")
	f(vars, "vault_a: "+base[:len(base)-8]+"\n", "damaged-vault-text 1:10 vault_a")
	f(vars, "smtp:\n  - password: planted1\n    secret_file: /etc/x\n", "plain-secret 2:15 smtp.password")
	f(vars, "update_password: always\nenable_password: true\nno_token: \"\"\n")
	f(vars, "dsn: postgres://films:planted@db/films\n", "plain-secret 1:23 ")
	f(vars, "dsn: postgres://films:{{ vault_a }}@db/films\n")
	f(vars, "a: &x\n  password: planted1\nb: *x\n", "plain-secret 2:13 a.password")
	f("hosts.ini", "h1 ansible_password=planted1 port=22\n", "plain-secret 1:21 ")
	f("hosts", "h1 vault_a="+base+"\n")
	f("films.env", "API_TOKEN=planted1\nAPI_TOKEN={{ vault_a }}\nPORT=1\n", "plain-secret 1:11 ")
	f("x.j2", "password = {{ vault_a }}\ntoken: ghp_plantedplantedplantedplantedplanted12\n", "plain-secret 2:8 ")
	f("key.pem", "-----BEGIN RSA PRIVATE KEY-----\nplanted\n-----END RSA PRIVATE KEY-----\ntext\n", "plain-secret 1:1 ")
	f("x.yml", "broken: [\nurl: https://films:planted@example.com/\n", "bad-yaml 1:1 ", "plain-secret 2:20 ")
	f("roles/x/templates/x.yml", "broken: [\n")
	f(vars, "vault_a: "+base[:60]+"\n", "damaged-vault-text 1:10 vault_a")
	f("films.password", "planted\n", "password-file 1:1 ")
	f(".vault-password", "planted\n", "password-file 1:1 ")
	f("vault_pass.txt", "planted\nplanted-too\n", "password-file 1:1 ")
	f("vault_pass.md", strings.Repeat("Of the planted password. ", 20))
	f(".vault-password", raw)
	f(vars, "# lint:ignore plain-vault-variable it is for tests\nvault_a: planted\nvault_b: planted\n", "plain-vault-variable 3:10 vault_b")
	f(vars, "# lint:ignore plain-vault-variable\nvault_a: planted\n", "plain-vault-variable 2:10 vault_a")
}

// TestGit reads what is in a repository and what is staged, not what lies about.
func TestGit(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed: nothing was read from it")
	}
	dir := written(t, map[string]string{".gitignore": "local*\n", "a.yml": "staged", "sub/größe b.yml": "new", "local.yml": "planted", "x.bin": "\x00"})
	run := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=Ann", "-c", "user.email=ann@example.com"}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v\n%s", args, err, out)
		}
	}
	told := func(files []File, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, f := range files {
			all = append(all, f.Path+"="+string(f.Body))
		}
		return strings.Join(all, " ")
	}
	f := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: got %q, want %q", what, got, want)
		}
	}
	f("no repository", told(Repository(t.Context(), dir)), ".gitignore=local*\n a.yml=staged local.yml=planted sub/größe b.yml=new")
	run("init", "-q")
	run("add", "a.yml")
	if err := os.WriteFile(filepath.Join(dir, "a.yml"), []byte("changed since"), 0o600); err != nil {
		t.Fatal(err)
	}
	f("repository", told(Repository(t.Context(), dir)), ".gitignore=local*\n sub/größe b.yml=new a.yml=changed since")
	f("below", told(Repository(t.Context(), filepath.Join(dir, "sub"))), "größe b.yml=new")
	f("staged", told(Staged(t.Context(), filepath.Join(dir, "sub"))), "a.yml=staged")
	run("add", ".")
	f("all staged", told(Staged(t.Context(), dir)), ".gitignore=local*\n a.yml=changed since sub/größe b.yml=new")
	run("commit", "-qm", "all")
	run("rm", "-q", "a.yml")
	f("deleted", told(Staged(t.Context(), dir)), "")

	name, err := InstallHook(t.Context(), dir, []byte("#!/bin/sh\nexit 1\n"))
	if err != nil || name != filepath.Join(dir, ".git/hooks/pre-commit") {
		t.Errorf("hook: %s, %v", name, err)
	}
	if _, err := InstallHook(t.Context(), filepath.Join(dir, "sub"), []byte("#!/bin/sh\nexit 1\n")); err != nil {
		t.Errorf("the same hook again: %v", err)
	}
	if _, err := InstallHook(t.Context(), dir, []byte("other")); err == nil {
		t.Error("another hook was replaced")
	}
	if err := exec.Command("git", "-C", dir, "-c", "user.name=Ann", "-c", "user.email=ann@example.com", "commit", "-qm", "more").Run(); err == nil {
		t.Error("the hook was not asked")
	}
}
