package release

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/vault"
)

// vaultText is a real one, raw and in base64.
func vaultText(t *testing.T) (raw, base string) {
	t.Helper()
	text, err := vault.Encrypt([]byte("postgres://films:word@db/films"), vault.NewPassword("", "word"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text), base64.StdEncoding.EncodeToString(text)
}

type vars = map[string]any

// inventory is an answer about hosts of the group applications.
func inventory(t *testing.T, hosts map[string]vars) *Infra {
	t.Helper()
	var names []string
	for h := range hosts {
		names = append(names, h)
	}
	document, err := json.Marshal(vars{"_meta": vars{"hostvars": hosts}, "applications": vars{"hosts": names}})
	if err != nil {
		t.Fatal(err)
	}
	in := &Infra{Dir: "/infra", Inventory: "/infra/inventories/production"}
	if err := in.parse(document); err != nil {
		t.Fatal(err)
	}
	return in
}

// uses is the plan of an environment of these expressions; the first one is the
// address of a resource.
func uses(expressions ...string) plan.Plan {
	p := plan.Plan{Group: "applications", Resources: expressions[:1]}
	for _, e := range expressions {
		p.Environment = append(p.Environment, plan.Variable{Name: "X", Parts: []plan.Part{{Literal: "a"}, {Expression: e}}})
	}
	return p
}

// TestPlain puts a secret in plain text behind a variable of the environment, in
// every way that leads there.
func TestPlain(t *testing.T) {
	raw, base := vaultText(t)
	f := func(want string, p plan.Plan, h1, h2 vars) {
		t.Helper()
		in := inventory(t, map[string]vars{"h1": h1, "h2": h2})
		if got := strings.Join(in.Plain([]string{"h1", "h2"}, p), "; "); got != want {
			t.Errorf("%v %v: got %q, want %q", h1, h2, got, want)
		}
	}
	const plain = "the variable vault_dsn is not encrypted for "
	fine := vars{"postgres_dsn": "{{ vault_dsn }}", "vault_dsn": base}
	behind := func(value any) vars { return vars{"postgres_dsn": "{{ vault_dsn }}", "vault_dsn": value} }

	f("", uses("postgres_dsn"), fine, behind(raw))
	f("", uses("postgres_dsn"), behind(" "+base[:100]+"\n  "+base[100:]+"\n"), fine)
	f(plain+"h2", uses("postgres_dsn"), fine, behind("planted"))
	f(plain+"h1 h2", uses("postgres_dsn"), behind(""), behind(base[:len(base)/2])) // half of one
	f(plain+"h1 h2", uses("postgres_dsn"), behind(12345), behind(nil))
	f(plain+"h1 h2", uses("postgres_dsn"), behind(vars{"__ansible_vault": raw}), behind(vars{"__ansible_unsafe": "{{ x }}"}))
	f("", uses("postgres_dsn"), behind(vars{"__ansible_unsafe": base}), fine)
	f(plain+"h1", uses("log_level", "vault_dsn | default('')"), vars{"vault_dsn": "planted"}, fine)

	// By way of others.
	f(plain+"h1", uses("postgres_dsn"), vars{"postgres_dsn": "{{ a }}", "a": "{{ b | default(postgres_dsn) }}", "b": "{% if 1 %}{{ vault_dsn }}{% endif %}", "vault_dsn": "planted"}, fine)
	f(plain+"h1", uses("db.films[0]"), vars{"db": vars{"films": []any{"{{vault_dsn}}"}}, "vault_dsn": "planted"}, fine)
	f(plain+"h1", uses("postgres_dsn"), vars{"postgres_dsn": "{{ lookup('vars', 'vault_dsn') }}", "vault_dsn": "planted"}, fine)
	f(plain+"h2", uses("postgres_dsn"), vars{"postgres_dsn": "{{ hostvars['h2'].vault_dsn }}", "vault_dsn": base}, vars{"vault_dsn": "planted"})
	f(plain+"h2", uses("hostvars['h2'].vault_dsn"), fine, vars{"vault_dsn": "planted"})

	// What does not come to a host, and what only Ansible can tell.
	f("", uses("log_level"), behind("planted"), behind("planted"))
	f("", uses("postgres_dsn"), vars{"postgres_dsn": "{{ 'vault_' ~ x }}", "vault_dsn": "planted"}, fine)
	f("", uses("postgres_dsn"), behind("{{ shared }}"), vars{"shared": "planted"})

	// A resource that says it itself.
	const open = "the variable postgres_dsn has a password in plain text for "
	resource := func(value any) vars { return vars{"postgres_dsn": value} }
	f(open+"h1 h2", uses("postgres_dsn"), resource("postgres://films:planted@db/films"), resource("postgres://:planted@db"))
	f(open+"h1 h2", uses("postgres_dsn"), resource("host=db password=planted"), resource("films:planted@tcp(db)/films"))
	f(open+"h1 h2", uses("postgres_dsn"), resource(vars{"__ansible_unsafe": "http://films:planted@db"}), resource("x://{{ user }}:planted@{{ nowhere }}"))
	f("", uses("postgres_dsn"), resource("postgres://films@db:5432,db2:5432/films?passfile=/x&sslmode=require"), resource(base))
	f("", uses("postgres_dsn"), resource("postgres://films:{{ vault_word }}@db"), fine) // the playbook tells
	f("", uses("log_level", "postgres_dsn"), resource("postgres://films:planted@db/films"), fine)
	f(open+"h1; "+plain+"h1", uses("postgres_dsn"), vars{"postgres_dsn": "x://a:planted@{{ vault_dsn }}", "vault_dsn": "planted"}, fine)
}

// TestSecretsInCache proves that what is kept of the values is names, and that
// an answer of an earlier form is none.
func TestSecretsInCache(t *testing.T) {
	root := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", root)
	t.Setenv("HOME", root)
	_, base := vaultText(t)
	in := inventory(t, map[string]vars{"h1": {
		"postgres_dsn": "postgres://films:planted@{{ vault_dsn | default('planted2') }}", "vault_dsn": "planted3", "vault_token": base, "planted4": "{{ planted5 }}",
	}})
	key := strings.Repeat("a", 64)
	in.keep(key)
	again := &Infra{Dir: in.Dir, Env: in.Env, Inventory: in.Inventory}
	if !again.cached(key) || strings.Join(again.Plain([]string{"h1"}, uses("postgres_dsn")), "; ") != strings.Join(in.Plain([]string{"h1"}, uses("postgres_dsn")), "; ") {
		t.Errorf("read back is %+v", again.answer)
	}
	body, err := json.Marshal(again.answer)
	if err != nil {
		t.Fatal(err)
	}
	if text := strings.ReplaceAll(string(body), "planted4", ""); strings.Contains(text, "planted") || strings.Contains(text, base[:20]) {
		t.Errorf("a value is kept: %s", body)
	}
	in.answer.Format--
	in.keep(key)
	if again.cached(key) {
		t.Error("an answer without secrets serves")
	}
}

// TestWithSecrets hands the playbook the names that stand behind others.
func TestWithSecrets(t *testing.T) {
	in := inventory(t, map[string]vars{
		"h1": {"postgres_dsn": "{{ vault_dsn }}", "vault_dsn": "{{ shared | default(vault_shared) }}", "vault_shared": "x", "vault_other": "x"},
		"h2": {"postgres_dsn": "{{ vault_two }}", "vault_two": "x"},
	})
	p := uses("postgres_dsn")
	p.Secrets = []string{"vault_token"}
	if got := strings.Join(in.withSecrets([]string{"h1", "h2"}, p).Secrets, " "); got != "vault_dsn vault_shared vault_token vault_two" {
		t.Errorf("secrets: %s", got)
	}
	if len(p.Secrets) != 1 {
		t.Error("the plan that was given has changed")
	}
}

// TestDeployPlain ends before anything is run.
func TestDeployPlain(t *testing.T) {
	in := inventory(t, map[string]vars{"h1": {"postgres_dsn": "{{ vault_dsn }}", "vault_dsn": "planted"}})
	out, err := Deploy(t.Context(), Options{Infra: in}, uses("postgres_dsn"))
	if out != nil || !errors.Is(err, ErrPlain) || err.Error() != "the variable vault_dsn is not encrypted for h1: a secret must be encrypted" {
		t.Errorf("%v, %v", out, err)
	}
}
