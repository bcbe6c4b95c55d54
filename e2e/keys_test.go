package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// offer packages the example service as one more version, by a spec with these
// lines below description, and publishes it. The lines have the keys that the
// test is about.
func (f *fixture) offer(t *testing.T, version, fault, lines string) {
	t.Helper()
	const head = "service:\n  name: hello\n  group: applications\n  description: \"The service of the tests of single keys\"\n  limits: {mem: 64M}\n"
	file := f.spec(version)
	write(t, file, head+strings.ReplaceAll("\n"+strings.Trim(lines, "\n"), "\n", "\n  ")+"\n")
	f.offerSpec(t, file, "hello", version, fault)
}

// offerSpec does it for a whole spec, with the example service built under
// the spec's name.
func (f *fixture) offerSpec(t *testing.T, file, name, version, fault string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	binary := filepath.Join(t.TempDir(), name)
	flags := fmt.Sprintf("-s -w -X main.name=%s -X main.version=%s -X main.fault=%s", name, version, fault)
	if err := command(ctx, "go", "build", "-trimpath", "-ldflags", flags, "-o", binary, "../services/hello"); err != nil {
		t.Fatal(err)
	}
	f.publishSpec(t, file, version, "--binary", binary)
}

func (f *fixture) publishSpec(t *testing.T, file, version string, more ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	dist := t.TempDir()
	if err := command(ctx, append([]string{f.kinectl, "package", "-f", file, "--version", version, "--format", "deb", "-o", dist}, more...)...); err != nil {
		t.Fatal(err)
	}
	debs, err := filepath.Glob(filepath.Join(dist, "*.deb"))
	if err != nil || len(debs) == 0 {
		t.Fatalf("no package was written: %v", err)
	}
	if err := command(ctx, append([]string{f.kinectl, "repo", "publish", f.repo, "--key", filepath.Join(f.dir, "key.asc")}, debs...)...); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// The judgement of a version that is good, which a busy machine may take its time to
// show; of one that is not; and of one that is good on some hosts only.
const (
	quick   = "deploy: {probe: {timeout: 60s, settle: 0s}"
	failing = "deploy: {probe: {timeout: 4s, settle: 0s}"
	mixed   = "deploy: {probe: {timeout: 20s, settle: 0s}"
)

const variables = `
environments: |
  HTTP_ADDRESS=:8080
  LOG_LEVEL={{ log_level }}`

// state is what a roll-back must bring back: units, their states, links and
// drop-ins, to the letter.
const state = `systemctl show -p Id,ActiveState,UnitFileState,Listen,OnCalendar hello.service hello.socket hello-cleanup.timer hello-report.timer
	find /etc/systemd/system -name '*hello*' | sort; cat /etc/systemd/system/hello.service.d/* 2>/dev/null
	cat /usr/lib/systemd/system/hello* /etc/hello/environment /etc/apt/preferences.d/kinectl-hello`

// Sockets and timers come and go with their release, forth and back.
func TestSocketsAndTimers(t *testing.T) {
	f := road
	f.offer(t, "6.0.0", "", quick+"}"+variables)
	f.offer(t, "6.1.0", "", quick+"}\nexec: {type: notify}\nsockets: [\":8080\"]\ntimers: [{name: cleanup, on_calendar: daily}]"+variables)
	f.offer(t, "6.1.1", "", quick+"}\nexec: {type: notify}\nsockets: [\":8080\"]\ntimers: [{name: cleanup, on_calendar: daily}]"+variables)
	f.offer(t, "6.2.0", "probe500", failing+"}\nexec: {type: notify}\nsockets: [\":8080\", \"udp://:5353\"]\ntimers: [{name: report, on_calendar: daily}]"+variables)
	const units = `systemctl is-active hello.socket hello-cleanup.timer hello-report.timer; systemctl list-units --plain --no-legend --state=failed`
	f.deploy(t, 0, "6.0.0", "--limit", "h1")
	before := f.sh(t, "h1", state)

	f.deploy(t, 0, "6.1.0", "--limit", "h1")
	f.runs(t, "h1", "6.1.0")
	f.expect(t, "h1", units, "active\nactive\ninactive")
	f.expect(t, "h1", `systemctl is-enabled hello.socket hello-cleanup.timer`, "enabled\nenabled")
	f.expect(t, "h1", `systemctl start hello-cleanup && journalctl -o cat _SYSTEMD_UNIT=hello-cleanup.service | grep -c "hello 6.1.0: cleanup, as user $(id -u hello), LOG_LEVEL=info"`, "1")
	contains(t, f.deploy(t, 0, "6.1.0", "--limit", "h1"), "1 unchanged")

	// The port answers right through restarts and a release.
	f.sh(t, "h1", `systemd-run --quiet --collect --unit=asker sh -c 'until [ -e /run/asked ]; do curl -s -m 5 -o /dev/null -w "%{http_code}\n" http://127.0.0.1:8080/; done >/run/answers'`)
	f.sh(t, "h1", `for i in 1 2 3; do systemctl restart hello; done`)
	f.deploy(t, 0, "6.1.1", "--limit", "h1")
	f.sh(t, "h1", `touch /run/asked; while systemctl -q is-active asker; do sleep 0.05; done; rm /run/asked`)
	f.expect(t, "h1", `sort -u /run/answers; [ "$(wc -l </run/answers)" -gt 100 ] || wc -l /run/answers; rm /run/answers`, "200")

	// One that fails takes its own socket and timer back with it.
	held := f.sh(t, "h1", state)
	contains(t, f.deploy(t, 3, "6.2.0", "--limit", "h1"), "rolled back: 6.1.1 again")
	f.expect(t, "h1", state, held)
	f.runs(t, "h1", "6.1.1")
	f.expect(t, "h1", units, "active\nactive\ninactive")

	// Going back to what had none; then away with all.
	f.deploy(t, 0, "6.0.0", "--limit", "h1")
	f.expect(t, "h1", strings.ReplaceAll(state, "6.0.0", ""), before)
	f.expect(t, "h1", units, "inactive\ninactive\ninactive")
	f.deploy(t, 0, "6.1.0", "--limit", "h1")
	f.run(t, f.fleet("remove", "", "--limit", "h1")...)
	f.expect(t, "h1", `find /etc/systemd /usr/lib/systemd /run/systemd/system -name '*hello*'; systemctl list-units --plain --no-legend 'hello*'`, "")
	f.clean(t, "h1")
}

// A power cut in the middle of a release with sockets and timers: the host
// boots into the release before.
func TestPowerCutWithSockets(t *testing.T) {
	f := road
	f.offer(t, "6.3.0", "", quick+"}\nexec: {type: notify}\nsockets: [\":8080\"]\ntimers: [{name: cleanup, on_calendar: daily}]"+variables)
	f.offer(t, "6.3.1", "", "deploy: {probe: {timeout: 60s, settle: 20s}}\nexec: {type: notify}\nsockets: [\":8080\", \":8082\"]\ntimers: [{name: report, on_calendar: daily}]"+variables)
	f.deploy(t, 0, "6.3.0", "--limit", "h1")
	held := f.sh(t, "h1", state)
	end := f.launch(t, f.fleet("deploy", "6.3.1", "--limit", "h1")...)
	f.await(t, "h1", `[ -e /var/lib/kinectl/hello/txn/restarting ] && systemctl show -P Listen hello.socket | grep -q 8082 && systemctl -q is-active hello`)
	back := f.powerCut(t, "h1")
	end()
	back()
	f.await(t, "h1", `[ ! -e /var/lib/kinectl/hello/txn ] && systemctl -q is-active hello && curl -sf -o /dev/null http://127.0.0.1:9090/metrics`)
	f.expect(t, "h1", state, held)
	f.runs(t, "h1", "6.3.0")
	f.expect(t, "h1", `systemctl list-units --plain --no-legend --state=failed`, "")
}
