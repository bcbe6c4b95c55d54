package spec

import (
	"strings"
	"testing"
)

// TestTakesNothingFromOthers holds that a spec cannot name what belongs to the
// host or to another package.
func TestTakesNothingFromOthers(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if !strings.Contains(text, "  name:") {
			text = "  name: films\n" + text
		}
		_, findings := Parse("spec.yml", []byte("service:\n"+text+"  group: apps\n  description: d\n"))
		var got []string
		for _, x := range findings {
			got = append(got, x.Rule)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: found %q, want %q", text, got, want)
		}
	}
	for _, name := range []string{"systemctl", "ls", "su", "sh", "rescue", "emergency", "getty", "dbus-1", "polkit-1", "letsencrypt", "ssh", "kernel", "nginx", "libfoo"} {
		f("  name: "+name+"\n", "reserved-name")
	}
	f("  name: films\n", "")

	socket := func(path string) string { return "  exec: {type: notify}\n  sockets: [" + path + "]\n" }
	f(socket("/run/films/api.sock"), "")
	for _, path := range []string{"/etc/shadow", "/run/docker.sock", "/run/films/../docker.sock", "/run/films/..", "/run/films/drain", "/run/films2/x.sock", "/run/films/x/y.sock"} {
		f(socket(path), "reserved-path")
	}
	// The name may come after the sockets.
	f("  exec: {type: notify}\n  sockets: [/etc/shadow]\n  name: films\n", "reserved-path")

	f("  security: {allow: [{write: [/srv/films]}, {devices: [/dev/dri]}]}\n", "")
	f("  security: {allow: [{write: [/srv/films/../../etc]}]}\n", "bad-path")
	f("  security: {allow: [{devices: [/dev/../etc/shadow]}]}\n", "bad-path")

	f("  limits: {allowed_cpus: \"0-8191\"}\n", "")
	f("  limits: {allowed_cpus: 9000}\n", "out-of-range")
	f("  limits: {allowed_cpus: \"1-9000\"}\n", "out-of-range")
	f("  limits: {allowed_cpus: \"3-2\"}\n", "bad-value")
	f("  limits: {mem: 1G, cpu: 0.5}\n  files: [{src: a, dst: /usr/share/films/a, mode: \"0666\"}]\n", "out-of-range")

	f("  alerts: [{name: ServiceDown, expr: up}]\n", "reserved-name")
}
