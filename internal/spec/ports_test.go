package spec

import (
	"strings"
	"testing"
)

// TestPorts: what is certain, since a release is refused where another one has it.
func TestPorts(t *testing.T) {
	f := func(want, more string) {
		t.Helper()
		s, findings := Parse("spec.yml", []byte(minimal+more))
		if findings.HasErrors() {
			t.Fatalf("%q: %v", more, findings)
		}
		if got := strings.Join(s.Ports(), " "); got != want {
			t.Errorf("%q: %s, want %s", more, got, want)
		}
	}
	env := func(lines ...string) string { return "  environments: |\n    " + strings.Join(lines, "\n    ") + "\n" }
	f("*:9090", "")
	f("", "  exec: {start: none}\n  files: [{src: a, dst: /usr/share/my-api/a}]\n")
	f("", "  deploy: {probe: {type: none, version: false}}\n")
	f("*:8080 *:9100", env("METRICS_ADDRESS=:9100", "HTTP_ADDRESS=:8080"))
	f("127.0.0.1:8080 127.0.0.1:9100 [::1]:53", "  sockets: [\"[::1]:53\"]\n  exec: {type: notify}\n"+env("METRICS_ADDRESS=127.0.0.1:9100", "HTTP_ADDRESS=localhost:8080"))
	f("*:8080 *:9090", "  sockets: [\":8080\", \"udp://:5353\"]\n  exec: {type: notify}\n"+env("HTTP_ADDRESS=0.0.0.0:8080"))
	// Who may as well be somebody else.
	f("*:8081 *:9090", env("GRPC_ADDRESS=:8081", "API_ADDRESS=10.0.0.9:80", "SERVER_ADDRESS=127.0.0.1:81", "API_PORT=80", "DNS_UDP_ADDRESS=:53"))
	// So a Go program dials this machine.
	f("*:9090", env("REDIS_ADDR=:6379", "SMTP_ADDRESS=:25", "NATS_ADDR=0.0.0.0:4222"))
	f("*:9090", "  deploy: {probe: {type: tcp, port: 6379}}\n"+env("REDIS_ADDR=:6379"))
	// Ansible decides; the probe may know.
	f("", env("METRICS_ADDRESS={{ metrics }}"))
	f("*:9090 127.0.0.1:8080", "  deploy: {probe: {port: 8080, path: /health}}\n"+env("HTTP_ADDRESS={{ ip }}:8080"))
	f("*:9090 127.0.0.1:8080", "  deploy: {probe: {type: tcp, port: 8080}}\n"+env("API_PORT=8080"))
	f("*:9090", "  deploy: {probe: {port: 80, path: /x}}\n"+env("HTTP_ADDRESS={{ listen }}")) // maybe through a proxy
	f("*:9090", "  deploy: {probe: {type: tcp, port: 443}}\n"+env("HTTP_ADDRESS={{ listen }}", "QUIC_ADDRESS={{ ip }}:443"))
	f("127.0.0.1:8080", "  deploy: {probe: {port: 8080, path: /health}}\n"+env("METRICS_ADDRESS={{ metrics }}", "HTTP_ADDRESS={{ ip }}:8080"))
	f("127.0.0.1:9090", "  deploy: {probe: {version: false}}\n")
	// A probe of somebody else, as far as the spec tells.
	f("*:9090", "  deploy: {probe: {port: 80, path: /x}}\n")
}
