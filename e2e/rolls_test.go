package e2e

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// A package of timers only: nothing to start, and healthy all the same.
func TestJobsOnly(t *testing.T) {
	f := road
	f.run(t, f.fleet("remove", "", "--limit", "h1")...)
	const jobs = "exec: {start: none}\nenvironments: LOG_LEVEL={{ log_level }}\ntimers: [{name: "
	f.offer(t, "6.4.0", "", jobs+"cleanup, on_calendar: daily}]")
	f.offer(t, "6.4.1", "", jobs+"report, on_calendar: weekly}]")
	contains(t, f.deploy(t, 0, "6.4.0", "--limit", "h1"), "not installed → 6.4.0")
	f.expect(t, "h1", `systemctl is-active hello-cleanup.timer; systemctl show -P LoadState hello.service`, "active\nnot-found")
	contains(t, f.deploy(t, 0, "6.4.0", "--limit", "h1"), "1 unchanged")
	f.deploy(t, 0, "6.4.1", "--limit", "h1")
	const timers = `systemctl is-active hello-cleanup.timer hello-report.timer; dpkg-query -W -f '${Version}' hello`
	f.expect(t, "h1", timers, "inactive\nactive\n6.4.1")
	if out, code := f.run(t, f.fleet("status", "", "--limit", "h1")...); code != 0 || !strings.Contains(out, "6.4.1    healthy") {
		t.Errorf("status: exit code %d\n%s", code, out)
	}
	f.sh(t, "h1", `systemctl stop hello-report.timer`)
	out, code := f.run(t, f.fleet("status", "", "--limit", "h1")...)
	if code != 1 {
		t.Errorf("status with a timer that is off: exit code %d", code)
	}
	contains(t, out, "sick", "hello-report.timer is inactive and enabled, not active and enabled")
	f.deploy(t, 0, "6.4.1", "--limit", "h1")
	if out, code := f.run(t, f.fleet("rollback", "", "--limit", "h1")...); code != 0 {
		t.Fatalf("rollback: exit code %d\n%s", code, out)
	}
	f.expect(t, "h1", timers, "active\ninactive\n6.4.0")
	// A service comes and goes again over the jobs.
	f.deploy(t, 0, first, "--limit", "h1")
	f.runs(t, "h1", first)
	f.deploy(t, 0, "6.4.0", "--limit", "h1")
	f.expect(t, "h1", `systemctl is-active hello.service hello-cleanup.timer; find /etc/systemd -name hello.service`, "inactive\nactive")
	f.clean(t, "h1")
	f.run(t, f.fleet("remove", "", "--limit", "h1")...)
	f.expect(t, "h1", `find /etc/systemd /usr/lib/systemd -name 'hello*'; systemctl list-units --plain --no-legend 'hello*'`, "")
}

// The marker makes /ready fail before a restart, and is gone after it, whatever
// becomes of the release.
func TestDrain(t *testing.T) {
	f := road
	f.offer(t, "6.5.0", "", quick+", drain: 2s}"+variables)
	f.offer(t, "6.5.1", "probe500", failing+", drain: 2s}"+variables)
	f.run(t, f.fleet("remove", "", "--limit", "h1")...)
	f.deploy(t, 0, "6.5.0", "--limit", "h1")
	f.expect(t, "h1", `curl -s http://127.0.0.1:8080/ready`, "ready")
	for _, c := range []struct {
		version string
		code    int
	}{{first, 0}, {"6.5.0", 0}, {"6.5.1", 3}} {
		if c.version == first {
			f.deploy(t, c.code, c.version, "--limit", "h1")
			continue
		}
		drained := f.watchDrain(t, "h1")
		f.deploy(t, c.code, c.version, "--limit", "h1")
		drained(c.version)
		f.expect(t, "h1", `curl -s http://127.0.0.1:8080/ready; ls -A /run/hello /run/kinectl`, "ready\n/run/hello:\n\n/run/kinectl:\nlease")
	}
	f.runs(t, "h1", "6.5.0")

	// A socket that is new: the service is down for a moment, and its folder goes.
	f.offer(t, "6.5.2", "", "deploy: {probe: {timeout: 60s, settle: 2s}, drain: 1s}\nexec: {type: notify}\nsockets: [\":8080\"]"+variables)
	f.sh(t, "h1", `systemd-run --quiet --collect --unit=watcher sh -c 'p=$(systemctl show -P MainPID hello)
		until n=$(systemctl show -P MainPID hello) && [ "$n" != 0 ] && [ "$n" != "$p" ] && systemctl is-active -q hello; do sleep 0.02; done
		stat -c "%a %n" /run/hello/drain >/run/seen 2>&1; curl -s -o /dev/null -w "%{http_code}" http://127.0.0.1:8080/ready >>/run/seen'`)
	f.deploy(t, 0, "6.5.2", "--limit", "h1")
	f.await(t, "h1", `! systemctl -q is-active watcher`)
	f.expect(t, "h1", `cat /run/seen; rm /run/seen`, "644 /run/hello/drain\n503")
	f.runs(t, "h1", "6.5.2")

	// Killed while it is drained: the guard undoes it.
	f.deploy(t, 0, first, "--limit", "h1")
	end := f.launch(t, f.fleet("deploy", "6.5.0", "--limit", "h1")...)
	f.await(t, "h1", `[ -e /run/hello/drain ]`)
	f.sh(t, "h1", `kill -9 $(systemctl show -P MainPID kinectl-hello)`)
	end()
	f.runs(t, "h1", first)
}

// remove is drained by the release that is here, before anything of it stops.
func TestRemoveDrains(t *testing.T) {
	f := road
	f.offer(t, "6.5.3", "", quick+", drain: 2s}"+variables)
	f.deploy(t, 0, "6.5.3", "--limit", "h1")
	// One that cannot be drained stays, and is told of once.
	f.sh(t, "h1", `mkdir -p /run/hello/drain/full`)
	contains(t, f.verb(t, 1, "remove", "h1"), "/run/hello/drain could not be written")
	f.runs(t, "h1", "6.5.3")
	told := strings.Split(f.verb(t, 0, "history", "h1", "-n", "2"), "\n")
	contains(t, told[1], "remove", "failed")
	contains(t, told[2], "deploy", "6.5.3", "deployed")

	drained := f.watchDrain(t, "h1")
	f.verb(t, 0, "remove", "h1")
	drained("remove")
	f.expect(t, "h1", `systemctl show -P LoadState hello`, "not-found")
	f.clean(t, "h1")
	f.deploy(t, 0, first, "--limit", "h1")
}

// watchDrain sees, on a host, its marker, what /ready answers then, and how long the
// process goes on after it. The function that it returns judges that: two seconds.
func (f *fixture) watchDrain(t *testing.T, host string) (drained func(what string)) {
	t.Helper()
	// The time begins with the marker and ends when the process is seen to be another,
	// so that a busy machine can only make it longer.
	f.sh(t, host, `systemd-run --quiet --collect --unit=watcher --property=RuntimeMaxSec=60 sh -c 'p=$(systemctl show -P MainPID hello)
		until a=$(date -r /run/hello/drain +%s%N 2>/dev/null); do sleep 0.02; done
		curl -s -o /dev/null -w "%{http_code}" http://127.0.0.1:8080/ready >/run/seen; stat -c " %a %U" /run/hello/drain >>/run/seen
		while [ "$(systemctl show -P MainPID hello)" = "$p" ]; do sleep 0.02; done
		echo "$(( ($(date +%s%N) - a) / 1000000 ))" >>/run/seen'`)
	return func(what string) {
		t.Helper()
		f.await(t, host, `! systemctl -q is-active watcher`)
		seen := f.sh(t, host, `cat /run/seen; rm /run/seen`)
		rest, ok := strings.CutPrefix(seen, "503 644 root\n")
		if lasted, err := strconv.Atoi(rest); !ok || err != nil || lasted < 1900 { // ms; the clock may be set meanwhile
			t.Errorf("%s: seen %q", what, seen)
		}
	}
}

// deploy.before runs once, on the first host, before anything changes.
func TestBefore(t *testing.T) {
	f := road
	const migrate = quick + ", before: \"/usr/bin/hello migrate ${LOG_LEVEL} '100% of $HOME' 'two  words'\"}" + variables
	f.offer(t, "6.6.0", "", migrate)
	f.offer(t, "6.6.1", "command", migrate)
	for _, h := range []string{"h1", "h2"} {
		f.run(t, f.fleet("remove", "", "--limit", h)...)
	}
	// Also where /var may not be executed from, and the user is not there yet.
	f.sh(t, "h1", `userdel hello; mkdir -p /var/lib/kinectl && mount --bind /var/lib/kinectl /var/lib/kinectl && mount -o remount,bind,noexec /var/lib/kinectl`)
	contains(t, f.deploy(t, 0, "6.6.0", "--limit", "h1,h2"), "h1          ran deploy.before of 6.6.0", "2 deployed")
	f.sh(t, "h1", `umount /var/lib/kinectl`)
	const ran = `journalctl -q -o cat -u hello-before | grep -c '^level=info.*hello 6.6.0: migrate info 100% of $HOME two  words, as user '$(id -u hello); true`
	f.expect(t, "h1", ran, "1")
	f.expect(t, "h2", ran, "0")
	contains(t, f.deploy(t, 0, "6.6.0", "--limit", "h1,h2"), "2 unchanged")
	f.expect(t, "h1", ran, "1")
	f.run(t, f.fleet("remove", "", "--limit", "h2")...)
	f.deploy(t, 0, "6.6.0", "--limit", "h1,h2") // the first of them, though it does not change
	f.expect(t, "h1", ran, "2")
	f.expect(t, "h2", ran, "0")

	untouched := f.sh(t, "h1", state+`; systemctl show -P MainPID hello; cat /var/lib/kinectl/hello/releases.jsonl`)
	out := f.deploy(t, 1, "6.6.1", "--limit", "h1,h2")
	contains(t, out, "deploy.before failed with exit code 3; nothing else was done", "fault command: migrate", "not touched h2")
	f.expect(t, "h1", state+`; systemctl show -P MainPID hello; cat /var/lib/kinectl/hello/releases.jsonl`, untouched)
	f.runs(t, "h1", "6.6.0")
	f.expect(t, "h1", `ls -d /var/lib/kinectl/hello/before /run/hello-before 2>/dev/null; systemctl list-units --plain --no-legend 'hello-before*'`, "")

	// A host that is down: the migration does not run either.
	f.offer(t, "6.6.2", "", migrate)
	f.sh(t, "h2", `systemctl stop ssh.socket ssh.service`)
	f.deploy(t, 1, "6.6.2", "--limit", "h1,h2")
	f.sh(t, "h2", `systemctl start ssh.service`)
	f.expect(t, "h1", `journalctl -q -o cat -u hello-before | grep -c 'hello 6.6.2: migrate'; true`, "0")
}

// A command that judges the service, as its user and in its sandbox.
func TestExecProbe(t *testing.T) {
	f := road
	probe := func(timeout string) string {
		return "deploy: {probe: {type: exec, command: /usr/bin/hello check, timeout: " + timeout + ", settle: 1s}}" + variables
	}
	f.offer(t, "6.7.0", "", probe("60s"))
	f.offer(t, "6.7.1", "command", probe("2s"))
	f.deploy(t, 0, "6.7.0", "--limit", "h1")
	f.runs(t, "h1", "6.7.0")
	out := f.deploy(t, 3, "6.7.1", "--limit", "h1")
	contains(t, out, "rolled back: 6.7.0 again", "the probe's command failed", "ExecMainStatus=3", "fault command: check")
	f.runs(t, "h1", "6.7.0")
}

// deploy.on_failure: revert takes back the hosts before the one that failed.
func TestRevert(t *testing.T) {
	f := road
	f.offer(t, "6.8.0", "", mixed+", on_failure: revert}"+variables+"\n  HELLO_FAULT={{ fault | default('') }}")
	f.deploy(t, 0, first, "--limit", "h1,h2,h3")
	f.deploy(t, 0, second, "--limit", "h1,h2,h3")
	f.run(t, f.fleet("remove", "", "--limit", "h2")...)
	write(t, filepath.Join(f.infra, "inventories", "lab", "host_vars", "h3.yml"), "fault: probe500\n")
	t.Cleanup(func() { _ = os.RemoveAll(filepath.Join(f.infra, "inventories", "lab", "host_vars")) })
	out := f.deploy(t, 3, "6.8.0", "--limit", "h1,h2,h3")
	contains(t, out, "1.1.0 → 6.8.0, healthy", "1.1.0 → 6.8.0 failed, rolled back: 1.1.0 again", "the hosts that had changed go back",
		"6.8.0 → 1.1.0, healthy", "not reverted h2: there was no release before", "hello 6.8.0: 1 deployed, 1 reverted, 1 rolled-back", "hello 6.8.0 was rolled back on h3")
	f.runs(t, "h1", second)
	f.runs(t, "h2", "6.8.0")
	f.runs(t, "h3", second)
	out, _ = f.run(t, f.fleet("deploy", "6.8.0", "--limit", "h1,h3", "--json")...)
	contains(t, out, `"reverted": [`, `"result": "restored"`)
	f.runs(t, "h1", second)

	// One that has died meanwhile is named, and keeps no other from going back.
	f.deploy(t, 0, second, "--limit", "h2")
	end := f.launch(t, f.fleet("deploy", "6.8.0", "--limit", "h1,h2,h3")...)
	f.await(t, "h3", `systemctl is-active -q kinectl-hello`)
	back := f.powerCut(t, "h1")
	out, code := end()
	contains(t, out, "6.8.0 → 1.1.0, healthy", "revert h1: ")
	if code != 1 {
		t.Errorf("exit code %d\n%s", code, out)
	}
	f.runs(t, "h2", second)
	back()
	f.runs(t, "h1", "6.8.0")
}
