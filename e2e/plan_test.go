package e2e

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/vault"
)

// everyFile is a digest of all files of a host but those that its own timers and
// logins may write at any time: the log, and what apt-daily, logrotate and systemd keep
// of their last runs.
const everyFile = `find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /var/log -o -path '/var/cache/*.bin' -o -path /var/cache/man -o -path /var/cache/ldconfig -o -path /var/lib/apt/periodic -o -path /var/lib/systemd/timers -o -path /var/lib/logrotate \) -prune -o -type f -printf '%p %m %s %T@\n' -o -type l -printf '%p %l\n' | sort | sha256sum; systemctl show -P MainPID hello`

// A second service on the port of the first is foreseen, and nothing is touched.
func TestPortOfAnother(t *testing.T) {
	f := road
	f.deploy(t, 0, first, "--limit", "h1")
	file := filepath.Join(t.TempDir(), "spec.yml")
	write(t, file, "service:\n  name: squatter\n  group: applications\n  description: Wants the metrics port of hello\n  limits: {mem: 64M}\n  deploy: {probe: {timeout: 5s, settle: 0s}}\n")
	f.offerSpec(t, file, "squatter", "8.9.0", "")
	before := f.sh(t, "h1", everyFile)
	there := []string{"-f", file, "--version", "8.9.0", "--infra", f.infra, "--env", "lab", "--limit", "h1"}
	const taken = "port 9090 is also that of hello on this host: give the service another port in spec.yml, or stop what listens there"
	out, code := f.run(t, append([]string{"plan"}, there...)...)
	if code != 1 {
		t.Errorf("plan: exit code %d", code)
	}
	contains(t, out, "! h1", taken)
	f.expect(t, "h1", everyFile, before)
	out, code = f.run(t, append([]string{"deploy"}, there...)...)
	if code != 1 {
		t.Errorf("deploy: exit code %d", code)
	}
	contains(t, out, taken)
	f.expect(t, "h1", `dpkg-query -W squatter 2>/dev/null || echo none; ls -d /etc/squatter /var/lib/kinectl/squatter /etc/apt/preferences.d/kinectl-squatter 2>/dev/null; true`, "none")
	f.runs(t, "h1", first)

	// So is a version of a service that runs no more, while another one has its port.
	f.sh(t, "h1", `systemctl stop hello; systemd-run --quiet --unit=by-hand systemd-socket-activate --listen=9090 /bin/cat
		until ss -Hltn 'sport = :9090' | grep -q .; do sleep 0.1; done`)
	out = f.deploy(t, 1, second, "--limit", "h1")
	f.sh(t, "h1", `systemctl stop by-hand; systemctl start hello`)
	contains(t, out, "port 9090 is also that of by-hand on this host")
	f.deploy(t, 0, second, "--limit", "h1")
	f.deploy(t, 0, first, "--limit", "h1")
}

// A plan says what a deploy then does, and changes nothing by itself.
func TestPlan(t *testing.T) {
	f := road
	const lines = variables + "\n  API_TOKEN={{ vault_api_token }}\n  DSN={{ dsn }}"
	inventory := func(level, secret, address string) {
		token, err := vault.EncryptBase64([]byte(secret), vault.NewPassword("", "a password"))
		if err != nil {
			t.Fatal(err)
		}
		f.configure(t, "log_level: "+level+"\nvault_api_token: "+token+"\ndsn: 'postgres://app:"+secret+"@"+address+"/app'\n")
	}
	inventory("info", "hunter1", "db1")
	f.offer(t, "8.0.0", "", quick+"}"+lines)
	f.offer(t, "8.0.1", "", quick+", serial: [1, 50%], drain: 1s, on_failure: revert}\ncapabilities: [CAP_NET_BIND_SERVICE]"+lines+"\n  NEW=1")
	for _, h := range hosts {
		f.run(t, f.fleet("remove", "", "--limit", h)...)
	}
	f.deploy(t, 0, "8.0.0", "--limit", "h1,h2,h3", "--serial", "100%")
	before := f.sh(t, "h1", everyFile)

	out, code := f.run(t, f.fleet("plan", "8.0.0", "--limit", "h1,h2,h3")...)
	contains(t, out, "h1 h2 h3    8.0.0, nothing to do", "Plan: 3 unchanged")
	if code != 0 || strings.Contains(out, "To do it") {
		t.Errorf("nothing to do: exit code %d\n%s", code, out)
	}

	inventory("debug", "hunter2", "db2")
	plan := f.fleet("plan", "8.0.1", "--serial", "50%")
	out, code = f.run(t, plan...)
	if code != 5 {
		t.Errorf("plan: exit code %d\n%s", code, out)
	}
	contains(t, out, "hello 8.0.1 → applications of lab", "~ h1 h2 h3    8.0.0 → 8.0.1, restarts", "+ h4 ", "not installed → 8.0.1, starts",
		"hello.service", "+AmbientCapabilities=CAP_NET_BIND_SERVICE", "/etc/hello/environment", `-LOG_LEVEL="info"`, `+LOG_LEVEL="debug"`, `+NEW="1"`,
		"+API_TOKEN=(another secret)", `-DSN="postgres://app:(secret)@db1/app"`, `+DSN="postgres://app:(secret)@db2/app"`,
		"batches: 50%; if a host fails: revert those before it", "out of service at once: 2 of 4 (50 %)", "out of traffic for 1 s", "Plan: 1 to install, 3 to change")
	if strings.Contains(out, "hunter") || strings.Contains(out, "JEFOU0lCTEV") {
		t.Errorf("a secret in the plan:\n%s", out)
	}
	f.expect(t, "h1", everyFile, before)
	f.clean(t, "h1")

	out, _ = f.run(t, append(plan, "--json")...)
	var doc struct {
		Capacity int
		AtOnce   int `json:"at_once"`
		Command  string
		Hosts    []struct {
			Host, From, To, Result, Restart string
			Changes                         bool
			Diffs                           []struct{ File, Text string }
		}
	}
	if err := json.Unmarshal([]byte(out), &doc); err != nil || len(doc.Hosts) != 4 {
		t.Fatalf("plan --json: %v\n%s", err, out)
	}
	if h := doc.Hosts[0]; h.Host != "h1" || h.From != "8.0.0" || h.To != "8.0.1" || h.Result != "planned" || h.Restart != "restart" || !h.Changes || len(h.Diffs) != 2 || doc.Capacity != 4 || doc.AtOnce != 2 {
		t.Errorf("plan --json: %+v", doc)
	}

	// What it says to do, does what it said: word for word, through a shell.
	out, code = f.run(t, plan...)
	_, next, ok := strings.Cut(strings.TrimSpace(out), "\nTo do it: kinectl ")
	if !ok || code != 5 {
		t.Fatalf("no command at the end: exit code %d\n%s", code, out)
	}
	if err := command(t.Context(), "sh", "-c", f.kinectl+" "+next); err != nil {
		t.Fatal(err)
	}
	for _, h := range hosts {
		f.runs(t, h, "8.0.1")
	}
	if out, code := f.run(t, f.fleet("plan", "8.0.1")...); code != 0 {
		t.Errorf("after it there is something to do: exit code %d\n%s", code, out)
	}
}

// What keeps a deploy from beginning is in the plan: a host that is down, one
// that another user would lose, one in the middle of a release.
func TestPlanOfTroubles(t *testing.T) {
	f := road
	f.deploy(t, 0, first, "--limit", "h1,h2")
	f.sh(t, "h2", `systemctl stop ssh.socket ssh.service`)
	defer f.sh(t, "h2", `systemctl start ssh.service`)
	out, code := f.run(t, f.fleet("plan", second, "--limit", "h1,h2")...)
	if code != 1 {
		t.Errorf("a host is down: exit code %d\n%s", code, out)
	}
	contains(t, out, "~ h1 ", "1.0.0 → 1.1.0, restarts", "! h2 ", "unreachable: ", "Plan: 1 to change, 1 unreachable")
	out, code = f.run(t, f.fleet("plan", second, "--limit", "h1,h2", "--skip-unreachable")...)
	if code != 5 || !strings.Contains(out, "--skip-unreachable") {
		t.Errorf("without the host that is down: exit code %d\n%s", code, out)
	}

	f.sh(t, "h1", `systemd-run --quiet --unit=kinectl-hello --collect sleep 60`)
	out, code = f.run(t, f.fleet("plan", second, "--limit", "h1")...)
	f.sh(t, "h1", `systemctl stop kinectl-hello`)
	if code != 4 {
		t.Errorf("a release is under way: exit code %d\n%s", code, out)
	}
	contains(t, out, "! h1 ", "locked: another release of this service is under way on this host")
}
