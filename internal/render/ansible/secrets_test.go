package ansible

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/internal/artifact"
	"github.com/kinectl/kinectl/internal/needs"
)

// TestSecrets lets the real Ansible judge the values of vault_… variables: one that is
// not encrypted stops everything before a host is asked, and is never shown.
func TestSecrets(t *testing.T) {
	program := needs.Program(t, "ansible-playbook", "no secret was judged by it")
	const raw = "$ANSIBLE_VAULT;1.1;AES256\n6162\n6364\n"
	encrypted := base64.StdEncoding.EncodeToString([]byte(raw))
	f := func(want string, h1, h2 map[string]any) {
		t.Helper()
		dir := t.TempDir()
		files := Deploy(withSecrets())
		asked := filepath.Join(dir, "asked")
		files[1] = artifact.File{Path: files[1].Path, Mode: 0o644, Body: []byte("#!/bin/sh\n# <<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>\n: >'" + asked + "'\nprintf '{\"changed\":false,\"result\":\"ready\"}'\n")}
		for _, vars := range []map[string]any{h1, h2} {
			if vars["nats_url"] == nil {
				vars["nats_url"] = "nats://198.51.100.1:4222"
			}
			vars["ansible_connection"], vars["ansible_become"], vars["ansible_remote_tmp"] = "local", false, dir
		}
		hosts, err := json.Marshal(map[string]any{"applications": map[string]any{"hosts": map[string]any{"h1": h1, "h2": h2}}})
		if err != nil {
			t.Fatal(err)
		}
		inventory := filepath.Join(dir, "hosts.json")
		write(t, inventory, string(hosts), 0o644)
		cmd := exec.Command(program, "-vvv", "-i", inventory, "--skip-tags", "connections", place(t, dir, files))
		cmd.Env = append(os.Environ(), "ANSIBLE_NOCOLOR=1", "ANSIBLE_HOME="+dir)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		_, missing := os.Stat(asked)
		switch text := string(out); {
		case strings.Contains(text, "planted"):
			t.Errorf("%v %v: a value is shown:\n%s", h1, h2, text)
		case want == "" && (err != nil || missing != nil):
			t.Errorf("%v %v: %v\n%s", h1, h2, err, text)
		case want != "" && (err == nil || missing == nil || !strings.Contains(text, want)):
			t.Errorf("%v %v: %v, a host was asked: %t; want %q\n%s", h1, h2, err, missing == nil, want, text)
		}
	}
	type vars = map[string]any
	f("", vars{"vault_dsn": encrypted}, vars{"vault_dsn": raw, "vault_token": " " + encrypted + "\n"})
	f("", vars{"vault_dsn": "{{ shared }}", "shared": encrypted}, vars{"vault_dsn": encrypted[:40] + "\n" + encrypted[40:]})
	f("not encrypted: vault_dsn of h2; write what", vars{"vault_dsn": encrypted}, vars{"vault_dsn": "postgres://planted"})
	f("not encrypted: vault_dsn vault_token of h1; write what", vars{"vault_dsn": "{{ shared }}", "shared": "planted", "vault_token": 12345}, vars{"vault_dsn": encrypted})
	resource := func(want string, value any, more ...string) {
		t.Helper()
		h1 := vars{"vault_dsn": encrypted, "nats_url": value}
		for i := 0; i < len(more); i += 2 {
			h1[more[i]] = more[i+1]
		}
		f(want, h1, vars{"vault_dsn": encrypted})
	}
	resource("", encrypted)
	resource("", "{{ vault_nats }}", "vault_nats", encrypted)
	resource("", "nats://films@198.51.100.1:4222,198.51.100.2:4222")
	resource("", "http://198.51.100.1:8080/a@b?passfile=/x&sslmode=require")
	const refused = "not encrypted: nats_url of h1; write what"
	resource(refused, "nats://films:planted@198.51.100.1:4222")
	resource(refused, "NATS://:planted@198.51.100.1")
	resource(refused, "host=db user=films password=planted")
	resource(refused, "films:planted@tcp(db)/films")
	resource(refused, []string{"nats://films:planted@198.51.100.1"})
	resource(refused, "{{ shared }}", "shared", "nats://films:planted@198.51.100.1")
	resource(refused, "nats://films:{{ vault_word }}@198.51.100.1", "vault_word", encrypted) // nobody decrypts a part
}
