package spec

import (
	"strings"
	"testing"
)

// TestValidate tries what takes more than one key to see.
func TestValidate(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		if got := found("  limits: {mem: 1G}\n" + text); got != strings.Join(want, " ") {
			t.Errorf("%q: found %v, want %v", text, got, want)
		}
	}
	sum := strings.Repeat("0a", 32)

	f("  build: {main: ./cmd/a, arch: [arm64]}\n")
	f("  build: {main: ., binary: a}\n", "contradiction")
	f("  build: {generate: true}\n")
	f("  build: {generate: false, binary: a}\n")
	f("  build: {generate: true, binary: a}\n", "contradiction")
	f("  build: {generate: yes}\n", "wrong-type")
	f("  security: {credentials: [vault-password, a1]}\n")
	f("  security: {credentials: [vault-password, vault-password]}\n", "duplicate-value")
	f("  security: {credentials: [a/b, A, a.b, a_b, \"\", 1a, \"a:b\"]}\n", "bad-value", "bad-value", "bad-value", "bad-value", "bad-value", "bad-value", "bad-value")
	f("  security: {credentials: vault-password}\n", "wrong-type")
	f("  exec: {start: none}\n  security: {credentials: [a]}\n", "unused-key")
	f("  exec: {start: none}\n  security: {credentials: [a]}\n  timers: [{name: a, on_calendar: daily}]\n")
	f("  build: {main: ., archive: a.zip, sha256: "+sum+"}\n", "contradiction")
	f("  build: {archive: a.zip}\n", "missing-checksum")
	f("  build: {archive: a.zip, sha256: " + sum + "}\n")
	f("  build: {archive: a.zip, sha256: xyz}\n", "bad-value")
	f("  build: {archive: a.zip, arch: [amd64, arm64], sha256: " + sum + "}\n")
	f("  build: {archive: \"a-{arch}.zip\", arch: [amd64, arm64], sha256: "+sum+"}\n", "missing-checksum")
	f("  build: {archive: \"a-{arch}.zip\", arch: [amd64, arm64], sha256: {amd64: "+sum+"}}\n", "missing-checksum")
	f("  build: {archive: \"a-{arch}.zip\", arch: [amd64, arm64], sha256: {amd64: " + sum + ", arm64: " + sum + "}}\n")
	f("  build: {archive: a.zip, sha256: {amd64: "+sum+", arm64: "+sum+"}}\n", "unused-key")
	f("  build: {binary: a, sha256: "+sum+"}\n", "unused-key")
	f("  build: {binary: ../a}\n", "bad-path")
	f("  build: {binary: a/../../b}\n", "bad-path")
	f("  build: {binary: /a}\n", "bad-value")
	f("  build: {binary: \"a-{version}-{arch}\"}\n")
	f("  build: {binary: \"a-{os}\"}\n", "bad-path")
	f("  build: {binary: \"a-{\"}\n", "bad-path")
	f("  build: {main: \"cmd/{arch}\"}\n", "bad-path")
	f("  build: {archive: \"https://example.com/{os}.zip\", sha256: "+sum+"}\n", "bad-path")

	f("  deploy: {probe: {type: exec}}\n", "missing-key")
	f("  deploy: {probe: {type: exec, command: /usr/bin/a, timeout: 5s}}\n")
	f("  deploy: {probe: {type: exec, command: a}}\n", "bad-command")
	f("  deploy: {probe: {type: exec, command: /usr/bin/a, port: 1, path: /, status: 200}}\n", "unused-key", "unused-key", "unused-key")
	f("  deploy: {probe: {command: /usr/bin/a}}\n", "unused-key")
	f("  deploy: {probe: {type: tcp, path: /}}\n", "unused-key")

	f("  exec: {start: none}\n  timers: [{name: a, on_calendar: daily}]\n  deploy: {before: /usr/bin/a, probe: {type: none, version: false}}\n")
	f("  exec: {start: none, stop: SIGTERM, reload: SIGHUP, type: exec}\n", "unused-key", "unused-key", "unused-key")
	f("  exec: {start: none}\n  sockets: [\":80\"]\n  deploy: {drain: 1s, probe: {type: http, port: 80, version: true}}\n", "unused-key", "unused-key", "unused-key", "unused-key", "unused-key")

	f("  sockets: [\":80\"]\n", "sockets-need-notify")
	f("  sockets: [\":80\"]\n  exec: {type: exec}\n", "sockets-need-notify")
	f("  sockets: [\":80\"]\n  exec: {type: notify}\n")

	f("  timers: [{name: a, on_calendar: daily}, {name: a, on_calendar: daily}]\n", "duplicate-value")
	f("  timers: [{name: next, on_calendar: daily}]\n", "reserved-name")
	f("  timers: [{name: probe, on_calendar: daily}]\n", "reserved-name")

	dst := func(paths ...string) string {
		text := "  files:\n"
		for _, p := range paths {
			text += "    - {src: a, dst: " + p + "}\n"
		}
		return text
	}
	f(dst("/usr/share/a/b", "/etc/my-api/b", "/usr/lib/a", "/usr/share/man/man1/my-api.1.gz", "/usr/share/my-api/"))
	f(dst("/usr/share/a", "/usr/share/a/"), "duplicate-value")
	f(dst("/usr/share/../bin/a"), "bad-path")
	for _, p := range []string{
		"/home/a/b", "/root/x", "/proc/x", "/sys/x", "/dev/x", "/run/x", "/tmp/x", "/var/tmp/x", "/var/run/x", "/srv/x", "/opt/x", "/usr/local/bin/x",
		"/bin/x", "/lib/x", "/usr", "/etc", "/usr/bin", "/usr/bin/my-api", "/usr/lib/systemd/system/my-api.service", "/usr/lib/systemd/system/my-api-next.service",
		"/usr/lib/systemd/system/my-api.service.d/x.conf", "/usr/lib/sysusers.d/my-api.conf", "/etc/my-api/environment", "/usr/share/kinectl/my-api/spec.yml",
		"/usr/share/kinectl", "/etc/systemd/system/x.service", "/var/lib/my-api/x", "/vmlinuz",
	} {
		f(dst(p), "reserved-path")
	}
	f("  files: [{src: ../a, dst: /usr/share/a/b}]\n", "bad-path")

	f("  security: {owner: www-data}\n", "reserved-name")
	f("  security: {group: docker}\n", "reserved-name")
	f("  security: {owner: films, group: media}\n")

	f("  alerts: [{name: A, expr: up}, {name: A, expr: up}]\n", "duplicate-value")
	f("  routes: [{host: a.example.com, port: 1}, {host: a.example.com, path: /, port: 2}]\n", "duplicate-value")
	f("  routes: [{host: a.example.com, port: 1}, {host: a.example.com, path: /b, port: 2}]\n")
	f("  routes: [{host: a.example.com}]\n", "route-without-port")
	f("  routes: [{host: a.example.com}]\n  environments: |\n    HTTP_ADDRESS=:{{ p }}\n", "route-without-port")
	f("  routes: [{host: a.example.com}]\n  environments: |\n    HTTP_ADDRESS=:8080\n")
}
