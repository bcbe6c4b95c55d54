package e2e

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

var hosts = []string{"h1", "h2", "h3", "h4"}

// The main road: nothing installed, a version, the next, one that fails.
func TestRoad(t *testing.T) {
	f := road
	f.run(t, f.fleet("remove", "")...)
	out := f.deploy(t, 0, first)
	contains(t, out, "hello 1.0.0 → applications of lab: h1 h2 h3 h4", "not installed → 1.0.0, healthy", "4 deployed", "monitoring skipped")
	for _, h := range hosts {
		f.runs(t, h, first)
	}

	t.Run("the unit and its files", func(t *testing.T) {
		f.expect(t, "h1", `systemctl show -P MemoryMax -P LimitNOFILE -P User -P EnvironmentFiles hello | sort`,
			strings.Join([]string{"/etc/hello/environment (ignore_errors=no)", "10000", "67108864", "hello"}, "\n"))
		f.expect(t, "h1", `stat -c '%a %U:%G' /etc/hello/environment /var/lib/kinectl/hello /usr/bin/hello /usr/share/kinectl/hello/spec.yml`,
			"600 root:root\n700 root:root\n755 root:root\n644 root:root")
		f.expect(t, "h1", `cat /etc/hello/environment`, "HTTP_ADDRESS=\":8080\"\nLOG_LEVEL=\"info\"\nGREETING=\"hello\"")
		f.expect(t, "h1", `curl -s http://127.0.0.1:9090/metrics | grep -c '^process_resident_memory_bytes\|^go_goroutines'`, "2")
	})

	t.Run("other package sources are left alone", func(t *testing.T) {
		f.sh(t, "h1", `apt-get -q update`)
		before := f.sh(t, "h1", `ls /var/lib/apt/lists | grep -v kinectl | grep -v 198.51.100.1 | grep Packages`)
		f.deploy(t, 0, second, "--limit", "h1")
		f.expect(t, "h1", `ls /var/lib/apt/lists | grep -v kinectl | grep -v 198.51.100.1 | grep Packages`, before)
		f.deploy(t, 0, first, "--limit", "h1")
	})

	t.Run("again changes nothing", func(t *testing.T) {
		const started = `systemctl show -P ActiveEnterTimestampMonotonic hello; cat /var/lib/kinectl/hello/releases.jsonl`
		before := f.sh(t, "h2", started)
		out := f.deploy(t, 0, first)
		contains(t, out, "4 unchanged")
		f.expect(t, "h2", started, before)
	})

	t.Run("check says what would be done", func(t *testing.T) {
		out := f.deploy(t, 0, second, "--check")
		contains(t, out, "would install hello 1.1.0 (now: 1.0.0)", "4 checked")
		f.runs(t, "h1", first)
	})

	contains(t, f.deploy(t, 0, second), "1.0.0 → 1.1.0, healthy")
	before := f.sh(t, "h2", `systemctl show -P MainPID hello`)
	out = f.deploy(t, 3, broken)
	contains(t, out, "1.1.0 → 1.2.0 failed, rolled back: 1.1.0 again", "got 500, not 200", "not touched h2 h3 h4",
		"error: hello 1.2.0 was rolled back on h1", "hint: Ansible's output: ")
	for _, h := range hosts {
		f.runs(t, h, second)
	}
	f.expect(t, "h2", `systemctl show -P MainPID hello`, before)

	t.Run("status", func(t *testing.T) {
		out, code := f.run(t, f.fleet("status", "", "--json")...)
		var got struct {
			Hosts []struct {
				Host, Version, Health string
				Last                  struct{ Version, From, Result, Who string }
			}
		}
		if err := json.Unmarshal([]byte(out), &got); err != nil || code != 0 || len(got.Hosts) != 4 {
			t.Fatalf("status --json: %v, exit code %d\n%s", err, code, out)
		}
		h := got.Hosts[0]
		if h.Host != "h1" || h.Version != second || h.Health != "healthy" || h.Last.Result != "rolled-back" || h.Last.Version != broken || h.Last.From != second {
			t.Errorf("status of h1: %+v", h)
		}
		contains(t, h.Last.Who, "root from ")
	})

	t.Run("rollback", func(t *testing.T) {
		out, code := f.run(t, f.fleet("rollback", "")...)
		if code != 0 {
			t.Fatalf("rollback: exit code %d\n%s", code, out)
		}
		contains(t, out, "1.1.0 → 1.0.0, healthy", "4 restored")
		for _, h := range hosts {
			f.runs(t, h, first)
		}
		out, code = f.run(t, f.fleet("rollback", "")...)
		if code != 1 || !strings.Contains(out, "no host has kept a release before 1.0.0") {
			t.Errorf("a second rollback: exit code %d\n%s", code, out)
		}
		out, code = f.run(t, f.fleet("rollback", "", "--to", second)...)
		if code != 0 {
			t.Fatalf("rollback --to: exit code %d\n%s", code, out)
		}
		f.runs(t, "h3", second)
	})
}

// A change of configuration alone is a release that can be rolled back.
func TestConfigurationRelease(t *testing.T) {
	f := road
	f.deploy(t, 0, first)
	f.configure(t, "log_level: debug\ngreeting: hi\n")
	contains(t, f.deploy(t, 0, first), "1.0.0, new configuration, healthy")
	f.expect(t, "h1", `grep GREETING /etc/hello/environment`, `GREETING="hi"`)
	f.expect(t, "h1", `tr '\0' '\n' < /proc/$(systemctl show -P MainPID hello)/environ | grep GREETING`, `GREETING=hi`)
	out, code := f.run(t, f.fleet("rollback", "")...)
	if code != 0 {
		t.Fatalf("rollback: exit code %d\n%s", code, out)
	}
	f.expect(t, "h1", `tr '\0' '\n' < /proc/$(systemctl show -P MainPID hello)/environ | grep GREETING`, `GREETING=hello`)
	f.runs(t, "h1", first)
}

// Hosts whose environments differ, and a roll that stopped half-way: each goes
// back to what it had, and those that the new version never came to stay.
func TestRollbackHostByHost(t *testing.T) {
	f := road
	f.configure(t, "log_level: info\ngreeting: \"hello from {{ inventory_hostname }}\"\n")
	f.deploy(t, 0, first)
	f.deploy(t, 0, second, "--limit", "h1,h2")
	since := f.sh(t, "h3", `systemctl show -P MainPID hello`)
	out, code := f.run(t, f.fleet("rollback", "")...)
	if code != 0 {
		t.Fatalf("rollback: exit code %d\n%s", code, out)
	}
	contains(t, out, "2 restored, 2 unchanged")
	for _, h := range hosts {
		f.runs(t, h, first)
		f.expect(t, h, `grep GREETING /etc/hello/environment`, `GREETING="hello from `+h+`"`)
	}
	f.expect(t, "h3", `systemctl show -P MainPID hello`, since)
}

// A package that somebody installed by hand is a version to go back to.
func TestInstalledByHand(t *testing.T) {
	f := road
	f.run(t, f.fleet("remove", "", "--limit", "h4")...)
	f.sh(t, "h4", `apt-get -q update && apt-get -q -y install hello=1.0.0 && echo LOG_LEVEL=info > /etc/hello/environment && systemctl enable --now hello`)
	out := f.deploy(t, 3, broken, "--limit", "h4")
	contains(t, out, "1.0.0 → 1.2.0 failed, rolled back: 1.0.0 again")
	f.expect(t, "h4", `dpkg-query -W -f '${db:Status-Abbrev}${Version}' hello; cat /etc/hello/environment; ls /etc/apt/preferences.d; systemctl is-active hello`,
		"ii 1.0.0LOG_LEVEL=info\nkinectl\nactive")
	f.clean(t, "h4")
	f.deploy(t, 0, first, "--limit", "h4")
}

// The bus of a host can go away under a release: the release goes on, and the
// deployer waits for it.
func TestBusRestarts(t *testing.T) {
	f := road
	f.deploy(t, 0, first, "--limit", "h1")
	end := f.launch(t, f.fleet("deploy", slow, "--limit", "h1")...)
	f.await(t, "h1", `systemctl is-active -q kinectl-hello`)
	f.sh(t, "h1", `systemctl restart dbus.service`)
	out, _ := end()
	contains(t, out, "1.0.0 → 5.0.0, healthy")
	f.runs(t, "h1", slow)
}

// configure writes the variables of the group, and puts the usual ones back at
// the end of the test.
func (f *fixture) configure(t *testing.T, variables string) {
	t.Helper()
	usual, err := os.ReadFile(f.variables())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.WriteFile(f.variables(), usual, 0o644); err != nil {
			t.Error(err)
		}
	})
	if err := os.WriteFile(f.variables(), []byte(variables), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A first install that fails, and taking a service away.
func TestFirstInstallAndRemove(t *testing.T) {
	f := road
	f.deploy(t, 0, first, "--limit", "h4")
	f.sh(t, "h4", `mkdir -p /var/lib/hello && echo data > /var/lib/hello/kept`)
	out, code := f.run(t, f.fleet("remove", "", "--limit", "h4")...)
	if code != 0 {
		t.Fatalf("remove: exit code %d\n%s", code, out)
	}
	const traces = `dpkg-query -W hello 2>&1 | grep -v 'no packages found'; ls -d /etc/hello /etc/apt/preferences.d/*hello* /usr/bin/hello /usr/share/kinectl/hello /usr/lib/systemd/system/hello.service /var/lib/kinectl /etc/systemd/system/*/hello.service /etc/systemd/system/kinectl-* 2>/dev/null; systemctl show -P LoadState hello; cat /var/lib/hello/kept`
	f.expect(t, "h4", traces, "not-found\ndata")
	f.clean(t, "h4")
	if out, code := f.run(t, f.fleet("remove", "", "--limit", "h4")...); code != 0 || !strings.Contains(out, "1 unchanged") {
		t.Errorf("remove again: exit code %d\n%s", code, out)
	}

	// What an operator had put there before stays.
	f.sh(t, "h4", `mkdir -p /etc/hello /etc/systemd/system/hello.service.d; echo key >/etc/hello/tls.key; echo OF=person >/etc/hello/environment; echo '[Service]' >/etc/systemd/system/hello.service.d/own.conf`)
	out = f.deploy(t, 3, broken, "--limit", "h4")
	contains(t, out, "not installed → 1.2.0 failed", "not installed, as before")
	f.expect(t, "h4", `dpkg-query -W hello 2>&1 | grep -v 'no packages found'; cd /etc; grep -r . hello systemd/system/hello.service.d | sort; stat -c %a hello; rm -r hello systemd/system/hello.service.d; systemctl daemon-reload`,
		"hello/environment:OF=person\nhello/tls.key:key\nsystemd/system/hello.service.d/own.conf:[Service]\n755")

	out = f.deploy(t, 3, broken, "--limit", "h4")
	contains(t, out, "not installed → 1.2.0 failed", "not installed, as before")
	f.expect(t, "h4", `dpkg-query -W hello 2>&1 | grep -v 'no packages found'; ls -d /etc/hello /usr/bin/hello /etc/apt/preferences.d/*hello* 2>/dev/null; systemctl show -P LoadState hello; true`, "not-found")
	f.clean(t, "h4")
	f.deploy(t, 0, first, "--limit", "h4")
	f.runs(t, "h4", first)
}

// A service that waits for something, as for its database, goes on waiting
// after a release that failed, and is not left stopped.
func TestWaitingGoesOnWaiting(t *testing.T) {
	f := road
	f.deploy(t, 0, first, "--limit", "h1")
	f.sh(t, "h1", `mkdir -p /etc/systemd/system/hello.service.d && printf '[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestartSec=1s\nExecStartPre=test -e /etc/database\n' >/etc/systemd/system/hello.service.d/wait.conf; systemctl daemon-reload; systemctl restart hello; true`)
	defer f.sh(t, "h1", `rm -rf /etc/systemd/system/hello.service.d /etc/database; systemctl daemon-reload; systemctl restart hello`)
	f.await(t, "h1", `[ "$(systemctl show -P SubState hello)" = auto-restart ]`)
	out := f.deploy(t, 3, broken, "--limit", "h1")
	contains(t, out, "rolled back: 1.0.0 again", "back on 1.0.0, which was not healthy before: it was activating")
	f.sh(t, "h1", `touch /etc/database`)
	f.await(t, "h1", `systemctl is-active -q hello`)
	f.expect(t, "h1", `dpkg-query -W -f '${Version}' hello; curl -s http://127.0.0.1:9090/metrics | grep -c '^build_info{.*version="1.0.0"'`, "1.0.01")
	f.clean(t, "h1")
}
