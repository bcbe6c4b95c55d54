package spec

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/internal/diag"
)

const minimal = "service:\n  name: my-api\n  group: apps\n  description: d\n"

// found returns the rules of what Check finds in the minimal spec with more
// keys, but for notes.
func found(text string) string {
	_, findings := Check("spec.yml", []byte(minimal+text))
	var got []string
	for _, x := range findings {
		if x.Severity != diag.Note {
			got = append(got, x.Rule)
		}
	}
	return strings.Join(got, " ")
}

// env is a spec with a memory limit and these variables.
func env(lines ...string) string {
	return "  limits: {mem: 1G}\n  environments: |\n    " + strings.Join(lines, "\n    ") + "\n"
}

// TestLint gives each rule specs that it finds fault with, and some that it
// lets pass.
func TestLint(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		if got := found(text); got != strings.Join(want, " ") {
			t.Errorf("%q: found %v, want %v", text, got, want)
		}
	}
	const mem = "  limits: {mem: 1G}\n"

	f("", "no-memory-limit")
	f("  limits: {no_file: 1000}\n", "no-memory-limit")
	f("  limits: {mem: unlimited}\n", "no-memory-limit")
	f("  limits: {mem: 8M}\n")
	f("  limits: {mem: 12Q}\n", "bad-value")
	f("  limits: {mem: 7M}\n", "out-of-range")
	f("  limits: {mem: 8191K}\n", "out-of-range")
	f("  limits: {mem: 8192K}\n")
	f("  limits: {mem: 16T}\n")
	f("  limits: {mem: 17T}\n", "out-of-range")
	f("  exec: {start: none}\n  files: [{src: a, dst: /usr/share/a/b}]\n")
	const job = "  exec: {start: none}\n"
	task := func(more string) string { return "  timers: [{name: a, on_calendar: daily, limits: {" + more + "}}" }
	f(job + task("mem: 128M") + "]\n")
	f(job+task("mem: 12Q")+"]\n", "bad-value")
	f(job+task("nice: 5")+"]\n", "no-memory-limit")
	f(job + mem + task("nice: 5") + "]\n")
	f(job+task("mem: 128M")+", {name: b, on_calendar: daily}]\n", "no-memory-limit")
	f(job+task("mem: unlimited")+"]\n", "no-memory-limit")
	f(mem+task("mem: unlimited")+"]\n", "no-memory-limit")
	f(task("mem: 128M")+"]\n", "no-memory-limit") // the service itself

	f(env("POSTGRES_POOL=5"), "missing-resource")
	f(env("DB={{ postgres_dsn }}"), "missing-resource")
	f(env("NATS_URL={{ nats_url }}"), "missing-resource")
	f("  resources: [postgres]\n" + env("POSTGRES_POOL=5", "DB={{ postgres_dsn }}"))
	f("  resources: [postgres]\n"+env("POSTGRES_DSN=x"), "duplicate-variable")
	f("  resources: [billing]\n"+mem, "unknown-resource")
	f("  resources: [postgress]\n"+mem, "unknown-resource")

	f(env("A=x # y"), "comment-in-value")
	f(env("A={{ a }} # y"), "comment-in-value")
	f(env("A='x # y'", "B=x#y", "C=#fff"))

	f(env("METRICS_ADDRESS=:9100")) // the probe asks there
	f("  deploy: {probe: {port: 9090}}\n"+env("METRICS_ADDRESS=:9100"), "probe-port")
	f("  deploy: {probe: {port: 9090}}\n"+env("METRICS_ADDRESS=:9100", "HTTP_ADDRESS=127.0.0.1:8080"), "probe-port")
	// What could not be read may be what is missing.
	f("  deploy: {probe: {port: 8081, prot: 1}}\n"+env("A=1"), "unknown-key")
	f("  deploy: {probe: {port: 8081}}\n"+env("A"), "bad-line")
	f("  limit: {mem: 1G}\n", "unknown-key")
	f(env("HTTP_ADDRESS=:80"), "low-port")
	f("  capabilities: [CAP_NET_BIND_SERVICE]\n" + env("HTTP_ADDRESS=:80"))
	f("  exec: {type: notify}\n  sockets: [\":80\"]\n" + env("HTTP_ADDRESS=:80"))
	f(env("HTTP_ADDRESS=8080"), "bare-address")
	f(env("HTTP_PORT=8080", "HTTP_ADDRESS={{ a }}"))
	f("  exec: {start: /usr/local/bin/my-api}\n"+env("A=1"), "misplaced-program")
	f("  exec: {start: /opt/x/my-api}\n  files: [{src: x, dst: /usr/lib/my-api/}]\n"+env("A=1"), "misplaced-program")
	f("  exec: {start: /usr/lib/my-api/my-api}\n  files: [{src: x, dst: /usr/lib/my-api/}]\n" + env("A=1"))
	for _, word := range []string{"> /var/log/x", "2>&1", "&& true", "| tee /x", "serve ;"} {
		f("  exec: {start: '/usr/bin/my-api "+word+"'}\n"+env("A=1"), "bad-command")
	}
	f("  exec: {start: '/usr/bin/my-api \">\" a>b'}\n" + env("A=1"))
	f("  deploy: {probe: {port: 80}}\n"+env("A=1"), "probe-port")
	f("  deploy: {probe: {port: 80}}\n" + env("HTTP_ADDRESS={{ ip }}:80"))
	f("  deploy: {probe: {port: 80}}\n" + env("HTTP_ADDRESS=:{{ port }}"))
	f("  deploy: {probe: {port: 8080}}\n" + env("HTTP_PORT=8080"))
	f("  deploy: {probe: {port: 8080, type: tcp}}\n"+env("HTTP_ADDRESS=:8081"), "probe-port")
	f("  deploy: {probe: {type: none}}\n" + env("METRICS_ADDRESS=:9100"))
	f(env("METRICS_ADDRESS=:{{ port }}"))
	for _, host := range []string{"[::1]", "127.0.0.1", "127.0.0.53", "localhost"} {
		f(env("METRICS_ADDRESS="+host+":9090"), "local-metrics")
	}
	f(env("METRICS_ADDRESS=127.0.0.1:{{ port }}"), "local-metrics")
	f(env("METRICS_ADDRESS=10.0.0.1:9090", "ADMIN_ADDRESS=127.0.0.1:9091"))
	f(env("METRICS_ADDRESS={{ ip }}:9090"))
	f(env("METRICS_ADDRESS=x"))

	f(env("A=$HOME/films"), "no-expansion")
	f(env("A=${STATE_DIRECTORY}/db"), "no-expansion")
	f(env(`A="x ${HOME}"`), "no-expansion")
	f(env("A={{ a }}/$HOME"), "no-expansion")
	f(env("A=x\\", "  $HOME/y"), "no-expansion")
	f(env(`A=\$HOME/films`, `B="\${HOME}"`, "C='$HOME'", "D=^[a-z]$", "E=$5", "F=pa$word", "G=$"))
	f("  deploy: {probe: {port: 80}}\n  exec: {start: \"/usr/bin/a --listen=:80\"}\n" + mem)
	f("  deploy: {probe: {port: 80}}\n  exec: {start: \"/usr/bin/a -l 127.0.0.1:80\"}\n" + mem)
	f("  deploy: {probe: {port: 80}}\n  exec: {start: \"/usr/bin/a --listen=:8080\"}\n"+mem, "probe-port")
	f("  deploy: {probe: {port: 80}}\n  sockets: [\":80\"]\n  exec: {type: notify}\n" + mem)
	f("  deploy: {probe: {port: 80}}\n  sockets: [\"udp://:80\"]\n  exec: {type: notify}\n"+mem, "probe-port")
	f("  deploy: {probe: {type: exec, command: /usr/bin/a}}\n" + env("METRICS_ADDRESS=:9100"))

	const held = "  exec: {type: notify}\n" + mem
	f("  sockets: [\":8080\"]\n  deploy: {probe: {type: tcp, port: 8080}}\n"+held, "probe-socket")
	f("  sockets: [\"127.0.0.1:8080\"]\n  deploy: {probe: {type: tcp, port: 8080, version: false}}\n"+held, "probe-socket")
	f("  sockets: [\":9090\"]\n  deploy: {probe: {type: tcp}}\n"+held, "probe-socket") // the port that it asks by default
	f("  sockets: [\":8080\"]\n  deploy: {probe: {type: tcp, port: 9090}}\n" + held)
	f("  sockets: [\":8080\"]\n  deploy: {probe: {port: 8080}}\n" + held)                    // an answer is the service's
	f("  sockets: [\"10.0.0.1:8080\"]\n  deploy: {probe: {type: tcp, port: 8080}}\n" + held) // another address than the probe's
	f("  sockets: [\"udp://:8080\"]\n  deploy: {probe: {type: tcp, port: 8080}}\n" + held + "  environments: |\n    HTTP_ADDRESS=:8080\n")

	f("  deploy: {drain: 5s, probe: {path: /ready}}\n"+mem, "drain-probe")
	f("  deploy: {drain: 5s, probe: {path: \"/ready?x=1\"}}\n"+mem, "drain-probe")
	f("  deploy: {drain: 0s, probe: {path: /ready}}\n" + mem)
	f("  deploy: {drain: 5s, probe: {path: /readyz}}\n" + mem)
	f("  deploy: {drain: 5s, probe: {path: /ready/}}\n"+mem, "drain-probe")
	f("  deploy: {drain: 5s, probe: {type: tcp, path: /ready}}\n"+mem, "unused-key")

	f("  exec: {start: \"/usr/bin/a ${A} $B\"}\n"+env("A=1"), "unknown-variable")
	f("  exec: {start: \"/usr/bin/a ${POSTGRES_DSN} ${STATE_DIRECTORY}\"}\n  resources: [postgres]\n" + mem)
	f("  exec: {start: \"/usr/bin/a ${BILLING_URL}\"}\n  resources: [billing]\n"+mem, "unknown-resource")
	f("  exec: {stop: \"/usr/bin/a ${MAINPID}\"}\n" + mem)
	f("  exec: {start: \"/usr/bin/a ${MAINPID}\"}\n"+mem, "unknown-variable")
	f("  timers: [{name: x, on_calendar: daily, exec: \"/usr/bin/a $A\"}]\n"+mem, "unknown-variable")

	f("  security: {owner: root, group: root}\n"+mem, "runs-as-root", "runs-as-root")
	f("  files: [{src: a, dst: /usr/share/my-api/a, type: config}]\n"+mem, "config-outside-etc")
	f("  files: [{src: a, dst: /etc/my-api/a, type: config}]\n" + mem)
}

func TestKindsOfTheTeam(t *testing.T) {
	kinds := []Resource{{"billing", "BILLING_URL", "billing_url"}}
	f := func(text, want string) {
		t.Helper()
		s, _ := Parse("spec.yml", []byte(minimal+text))
		var got []string
		for _, x := range Lint(s, kinds...) {
			got = append(got, x.Rule)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: found %q, want %q", text, got, want)
		}
	}
	f("  resources: [billing]\n  exec: {start: \"/usr/bin/a $BILLING_URL\"}\n"+env("BILLING_TIMEOUT=5s"), "")
	f(env("BILLING_TIMEOUT=5s"), "missing-resource")
	f("  resources: [biling]\n"+env("A=1"), "unknown-resource")
}

func TestPortClash(t *testing.T) {
	f := func(text string, clash bool) {
		t.Helper()
		if got := found(text); slices.Contains(strings.Fields(got), "port-clash") != clash {
			t.Errorf("%q: found %q, want a clash: %v", text, got, clash)
		}
	}
	f(env("HTTP_ADDRESS=:8080", "GRPC_ADDRESS=:8080"), true)
	f(env("HTTP_ADDRESS=:8080", "GRPC_PORT=8080"), true)
	f(env("HTTP_ADDRESS=:8080", "ADMIN_ADDRESS=127.0.0.1:8080"), true)
	f(env("HTTP_ADDRESS=0.0.0.0:8080", "ADMIN_ADDRESS=[::1]:8080"), true)
	f(env("HTTP_ADDRESS=:9090", "METRICS_ADDRESS=:9090"), true)
	f(env("FILMS_ADDRESS=:8080", "SITE_ADDRESS=*:8080"), true)
	f(env("HTTP_ADDRESS=:8080", "GRPC_ADDRESS=:8081"), false)
	f(env("HTTP_ADDRESS=127.0.0.1:8080", "ADMIN_ADDRESS=127.0.0.2:8080"), false)
	f(env("DNS_ADDRESS=:53", "DNS_UDP_ADDRESS=:53"), false)
	// Where somebody else listens.
	f(env("HTTP_ADDRESS=:8080", "SMTP_ADDRESS=mail.example.com:8080"), false)
	f(env("SMTP_PORT=25", "MAIL_PORT=25"), false)
	f(env("STATSD_ADDRESS=127.0.0.1:8125", "DOGSTATSD_ADDRESS=127.0.0.1:8125"), false)
	f(env("HTTP_ADDRESS=:{{ port }}", "GRPC_ADDRESS=:{{ port }}"), false)
	// A socket is handed over under the address that the service reads.
	f("  sockets: [\":8080\"]\n  exec: {type: notify}\n"+env("HTTP_ADDRESS=:8080"), false)
	f("  sockets: [\":8080\"]\n  exec: {type: notify}\n"+env("HTTP_ADDRESS=:8080", "GRPC_ADDRESS=:8080"), true)
	f("  sockets: [\":8080\", \"127.0.0.1:8080\"]\n  exec: {type: notify}\n", true)
	f("  sockets: [\":8080\", \"udp://:8080\", /run/a/b]\n  exec: {type: notify}\n", false)
}

func TestClashes(t *testing.T) {
	spec := func(name, group, more string) *Spec {
		s, findings := Parse(name+".yml", []byte("service:\n  name: "+name+"\n  group: "+group+"\n  description: d\n"+more))
		if len(findings) > 0 {
			t.Fatalf("%+v", findings)
		}
		return s
	}
	f := func(a, b *Spec, want string) {
		t.Helper()
		got := ""
		all := Clashes([]*Spec{a, b})
		if len(all[1]) > 0 {
			got = all[1][0].Message
		}
		if implied := strings.HasPrefix(got, "the metrics port"); got != "" && (all[1][0].Severity == diag.Warning) != implied {
			t.Errorf("%q is %s", got, all[1][0].Severity)
		}
		if got != want || len(all[0]) > 0 {
			t.Errorf("found %q, want %q; in the first: %v", got, want, all[0])
		}
	}
	own := "  deploy: {probe: {port: 9091}}\n"
	f(spec("aa", "g", ""), spec("bb", "g", ""), "the metrics port of bb is port 9090, where aa of the same group listens too (aa.yml:2)")
	f(spec("aa", "g", ""), spec("bb", "h", ""), "")
	f(spec("aa", "g", ""), spec("aa", "g", ""), "")
	f(spec("aa", "g", ""), spec("bb", "g", own+env("METRICS_ADDRESS=:9091")), "")
	f(spec("aa", "g", env("HTTP_ADDRESS=:80")), spec("bb", "g", own+env("METRICS_ADDRESS=:9091", "GRPC_ADDRESS=127.0.0.1:80")), "GRPC_ADDRESS is port 80, where aa of the same group listens too (aa.yml:7)")
	f(spec("aa", "g", ""), spec("bb", "g", "  exec: {start: none}\n  timers: [{name: x, on_calendar: daily}]\n"), "")
	f(spec("aa", "g", env("STATSD_ADDRESS=127.0.0.1:8125")), spec("bb", "g", own+env("METRICS_ADDRESS=:9091", "STATSD_ADDRESS=127.0.0.1:8125")), "")
	// One service names a port twice, as a socket and as the address that it reads.
	held := own + "  sockets: [\":80\"]\n  exec: {type: notify}\n" + env("METRICS_ADDRESS=:9091", "HTTP_ADDRESS=:80")
	f(spec("aa", "g", env("HTTP_ADDRESS=:80")), spec("bb", "g", held), "a socket is port 80, where aa of the same group listens too (aa.yml:7)")
}

// TestUnitClashes: two services own one unit, or lead one route.
func TestUnitClashes(t *testing.T) {
	spec := func(name, more string) *Spec {
		s, findings := Parse(name+".yml", []byte("service:\n  name: "+name+"\n  group: g"+name[:1]+"\n  description: d\n"+more))
		if len(findings) > 0 {
			t.Fatalf("%+v", findings)
		}
		return s
	}
	f := func(a, b *Spec, want string) {
		t.Helper()
		all := Clashes([]*Spec{a, b})
		got := ""
		for _, x := range all[1] {
			if x.Rule != "group-port-clash" {
				got += fmt.Sprintf("%s %d:%d %s: %s", x.Rule, x.Line, x.Column, x.Severity, x.Message)
			}
		}
		if got != want || len(all[0]) > 0 {
			t.Errorf("found %q, want %q; in the first: %v", got, want, all[0])
		}
	}
	timers := func(names string) string {
		text := "  timers:\n"
		for name := range strings.FieldsSeq(names) {
			text += "    - {name: " + name + ", on_calendar: daily}\n"
		}
		return text
	}
	films := spec("films", timers("sweep tidy"))
	f(films, spec("films-sweep", ""), "unit-clash 2:9 error: films-sweep.service is a unit of the service films-sweep, and of the task sweep of films (films.yml:6)")
	f(spec("films-sweep", ""), films, "unit-clash 6:14 error: films-sweep.service is a unit of the task sweep of films, and of the service films-sweep (films-sweep.yml:2)")
	f(films, spec("films-tidier", ""), "")
	f(spec("films", timers("sweep-all")), spec("films-sweep", timers("all")), "unit-clash 6:14 error: films-sweep-all.service is a unit of the task all of films-sweep, and of the task sweep-all of films (films.yml:6)")
	for _, task := range []string{"next", "probe", "before"} {
		f(spec("films", ""), spec("films-"+task, ""), "unit-clash 2:9 error: films-"+task+".service is a unit of the service films-"+task+", and of what kinectl itself makes for films (films.yml:2)")
	}
	f(films, films, "")
	f(spec("films", "  exec: {start: none}\n"), spec("films-next", ""), "")

	routes := func(list string) string { return "  routes: [" + list + "]\n" + env("HTTP_ADDRESS=:8080") }
	a := spec("aa", routes("{host: x.org}, {host: x.org, path: /api}"))
	f(a, spec("bb", routes("{host: y.org}, {host: x.org, path: /api/}")), "route-clash 5:34 error: x.org/api leads to aa already (aa.yml:5)")
	f(a, spec("bb", routes("{host: x.org, path: /}")), "route-clash 5:19 error: x.org leads to aa already (aa.yml:5)")
	f(a, spec("bb", routes("{host: x.org, path: /apis}")), "")
	f(a, a, "")
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
