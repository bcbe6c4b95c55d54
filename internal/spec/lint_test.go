package spec

import (
	"strings"
	"testing"
)

// TestRules gives each rule one spec that it finds fault with and one that it
// lets pass.
func TestRules(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		_, findings := Check("spec.yml", []byte("service:\n  name: my-api\n  group: apps\n  description: d\n"+text))
		var got []string
		for _, x := range findings {
			got = append(got, x.Rule)
		}
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%q: found %v, want %v", text, got, want)
		}
	}
	env := func(lines ...string) string {
		return "  limits: {mem: 1G}\n  environments: |\n    " + strings.Join(lines, "\n    ") + "\n"
	}

	f("", "no-memory-limit")
	f("  limits: {no_file: 1000}\n", "no-memory-limit")
	f("  limits: {mem: unlimited}\n", "no-memory-limit")
	f("  limits: {mem: 8M}\n")
	f("  limits: {mem: 12Q}\n", "bad-value")

	f(env("POSTGRES_POOL=5"), "missing-resource")
	f(env("DB={{ postgres_dsn }}"), "missing-resource")
	f(env("NATS_URL={{ nats_url }}"), "missing-resource")
	f("  resources: [postgres]\n" + env("POSTGRES_POOL=5", "DB={{ postgres_dsn }}"))
	f("  resources: [postgres]\n"+env("POSTGRES_DSN=x"), "duplicate-variable")
	f("  resources: [oracle]\n  limits: {mem: 1G}\n", "unknown-resource")

	f(env("API_TOKEN=x"), "plain-secret")
	f(env("secret_key=x"), "plain-secret")
	f(env("DB_PASSWORD='x y'"), "plain-secret")
	f(env("URL=https://user:word@host/"), "plain-secret")
	f(env("URL=https://{{ user }}:x{{ word }}@host/"), "plain-secret")
	f(env("API_TOKEN={{ vault_api_token }}", "TOKEN=", "TOKEN_TTL=5m", "PASSWORD_MIN_LENGTH=8", "SECRET_FILE=/x", "MONKEY=x", "PUBLIC_KEY=x"))
	f(env("URL=https://{{ user }}:{{ word }}@host/", "A=https://user@host:80/", "B=https://host/a:b@c"))

	f(env("A=x # y"), "comment-in-value")
	f(env("A={{ a }} # y"), "comment-in-value")
	f(env("A='x # y'", "B=x#y", "C=#fff"))

	f(env("METRICS_ADDRESS=:9100"), "probe-port")
	f(env("METRICS_ADDRESS=:9100", "HTTP_ADDRESS=127.0.0.1:8080"), "probe-port")
	f("  deploy: {probe: {port: 80}}\n"+env("A=1"), "probe-port")
	f("  deploy: {probe: {port: 80}}\n" + env("HTTP_ADDRESS={{ ip }}:80"))
	f("  deploy: {probe: {port: 80}}\n" + env("HTTP_ADDRESS=:{{ port }}"))
	f("  deploy: {probe: {port: 80, type: tcp}}\n"+env("HTTP_ADDRESS=:81"), "probe-port")
	f("  deploy: {probe: {type: none}}\n" + env("METRICS_ADDRESS=:9100"))
	f(env("METRICS_ADDRESS=:{{ port }}"))
	f(env("METRICS_ADDRESS=[::1]:9090"))
}

func TestReservedNames(t *testing.T) {
	f := func(name string, want bool) {
		t.Helper()
		_, findings := Parse("spec.yml", []byte("service: {name: "+name+", group: apps, description: d}"))
		got := len(findings) == 1 && findings[0].Rule == "reserved-name"
		if got != want {
			t.Errorf("%s: %+v", name, findings)
		}
	}
	for _, name := range []string{"root", "www-data", "openssh-server", "systemd-x", "kinectl", "kinectl-x", "libc6"} {
		f(name, true)
	}
	for _, name := range []string{"my-api", "hello", "openssh-servers", "a1"} {
		f(name, false)
	}
}
