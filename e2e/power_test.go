package e2e

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
)

// A version with a socket, a timer and traffic to be taken out of.
const (
	powered     = "8.6.0"
	poweredSlow = "8.6.1" // five seconds of drain, and five until it counts as healthy
)

func (f *fixture) offerPowered(t *testing.T, version, drain, settle string) {
	t.Helper()
	f.offer(t, version, "", "deploy: {serial: 2, overlap: false, drain: "+drain+", probe: {timeout: 60s, settle: "+settle+`}}
exec: {type: notify}
sockets: [":8080"]
timers: [{name: tidy, on_calendar: daily, exec: "/usr/bin/hello migrate"}]`+variables)
}

const (
	poweredUnits = `systemctl is-active hello hello.socket hello-tidy.timer; systemctl is-enabled hello hello.socket hello-tidy.timer; true`
	allOn        = "active\nactive\nactive\nenabled\nenabled\nenabled"
	allOff       = "inactive\ninactive\ninactive\ndisabled\ndisabled\ndisabled"
)

// verb runs a verb over some hosts and fails the test unless it ends with code.
func (f *fixture) verb(t *testing.T, code int, verb, limit string, more ...string) string {
	t.Helper()
	out, got := f.run(t, f.fleet(verb, "", append([]string{"--limit", limit}, more...)...)...)
	if got != code {
		t.Fatalf("%s %s %v: exit code %d, want %d\n%s", verb, limit, more, got, code, out)
	}
	return out
}

func TestPower(t *testing.T) {
	f := road
	f.offerPowered(t, powered, "0s", "0s")
	f.deploy(t, 0, powered, "--limit", "h1,h2")

	const process = `systemctl show -P MainPID hello`
	before := f.sh(t, "h1", process)
	const socket = `systemctl show -P InvocationID hello.socket`
	held := f.sh(t, "h1", socket)
	contains(t, f.verb(t, 0, "restart", "h1,h2"), "restarted, healthy", "2 restarted")
	if f.sh(t, "h1", process) == before {
		t.Error("a restart left the process as it was")
	}
	f.expect(t, "h1", socket, held)
	f.runs(t, "h1", powered)

	contains(t, f.verb(t, 0, "stop", "h1", "--check"), "would stop hello 8.6.0", "1 checked")
	f.expect(t, "h1", poweredUnits, allOn)
	contains(t, f.verb(t, 0, "stop", "h1"), "1 stopped")
	f.expect(t, "h1", poweredUnits, allOff)
	f.expect(t, "h1", `curl -s -o /dev/null http://127.0.0.1:8080/; echo $?`, "7") // refused
	f.clean(t, "h1")
	contains(t, f.verb(t, 1, "status", "h1,h2"), "stopped", "h1: stopped by root from 198.51.100.1")
	contains(t, f.verb(t, 0, "stop", "h1"), "1 unchanged")
	contains(t, f.verb(t, 0, "restart", "h1,h2"), "1 restarted, 1 unchanged")
	f.expect(t, "h1", poweredUnits, allOff)

	contains(t, f.verb(t, 0, "start", "h1,h2"), "1 started, 1 unchanged")
	f.expect(t, "h1", poweredUnits, allOn)
	f.runs(t, "h1", powered)

	t.Run("history", func(t *testing.T) {
		out := f.verb(t, 0, "history", "h1,h2", "-n", "4")
		lines := strings.Split(out, "\n")
		for i, want := range []string{"WHEN", "start 8.6.0", "restart 8.6.0", "stop 8.6.0", "restart 8.6.0"} {
			contains(t, lines[i], want)
		}
		contains(t, lines[4], "restarted", "h1 h2", "root from 198.51.100.1")
		var got struct {
			Rolls []struct {
				Action, Version string
				Hosts           []struct{ Host, Roll, Result string }
			}
		}
		if err := json.Unmarshal([]byte(f.verb(t, 0, "history", "h1,h2", "-n", "4", "--json")), &got); err != nil {
			t.Fatal(err)
		}
		if r := got.Rolls[3]; r.Action != "restart" || len(r.Hosts) != 2 || r.Hosts[0].Roll == "" || r.Hosts[0].Roll != r.Hosts[1].Roll || r.Hosts[0].Result != "restarted" {
			t.Errorf("the oldest of four: %+v", r)
		}
	})

	t.Run("a release starts what was stopped", func(t *testing.T) {
		f.verb(t, 0, "stop", "h2")
		contains(t, f.deploy(t, 0, powered, "--limit", "h2"), "healthy")
		f.expect(t, "h2", poweredUnits, allOn)
	})

	t.Run("one that fails stops the roll", func(t *testing.T) {
		whole := func() { f.sh(t, "h1", `rm -rf /run/systemd/system/hello.service.d; systemctl daemon-reload`) }
		t.Cleanup(whole)
		f.sh(t, "h1", `mkdir -p /run/systemd/system/hello.service.d; printf '[Service]\nExecStart=\nExecStart=/bin/false\n' >/run/systemd/system/hello.service.d/x.conf; systemctl daemon-reload`)
		before := f.sh(t, "h2", process)
		out := f.verb(t, 1, "restart", "h1,h2", "--serial", "1")
		contains(t, out, "failed", "hello.service did not start", "not touched h2")
		f.expect(t, "h2", process, before)
		whole()
		contains(t, f.verb(t, 0, "restart", "h1"), "1 restarted")
		f.runs(t, "h1", powered)
	})
	f.deploy(t, 0, first, "--limit", "h1,h2")
}

// Killed in the middle, the host finishes what was asked for, or leaves the service
// as it was; after a power cut too.
func TestPowerKilled(t *testing.T) {
	f := road
	f.offerPowered(t, poweredSlow, "5s", "5s")
	f.deploy(t, 0, poweredSlow, "--limit", "h1")
	const process = `systemctl show -P MainPID hello`
	kill := func(t *testing.T) {
		f.sh(t, "h1", `pid=$(systemctl show -P MainPID kinectl-hello); [ "$pid" -gt 1 ] && kill -9 "$pid"`)
	}
	cut := func(t *testing.T) {
		f.powerCut(t, "h1")()
	}
	// during interrupts a verb once what it wants is written down.
	during := func(t *testing.T, verb string, blow func(*testing.T)) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), f.kinectl, f.fleet(verb, "", "--limit", "h1")...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		f.await(t, "h1", `[ -e /var/lib/kinectl/hello/txn/power ]`)
		blow(t)
		_ = cmd.Wait()
		f.await(t, "h1", `[ "$(systemctl show -P ActiveState kinectl-hello)" = inactive ] && [ "$(systemctl show -P ActiveState kinectl-recover@hello)" = inactive ]`)
		f.clean(t, "h1")
	}
	for _, blow := range []struct {
		name string
		do   func(*testing.T)
	}{{"kill", kill}, {"power cut", cut}} {
		t.Run(blow.name, func(t *testing.T) {
			before := f.sh(t, "h1", process)
			during(t, "restart", blow.do) // while it drains
			f.expect(t, "h1", poweredUnits, allOn)
			if blow.name == "kill" {
				f.expect(t, "h1", process, before)
				contains(t, f.lastResult(t), `"action":"restart"`, `"result":"failed"`, "interrupted before the service was touched")
			}
			during(t, "stop", blow.do)
			f.expect(t, "h1", poweredUnits, allOff)
			contains(t, f.lastResult(t), `"action":"stop"`, `"result":"stopped"`, "finished by the host", `"who":"root from 198.51.100.1`)
			during(t, "start", blow.do) // while it settles
			f.await(t, "h1", `curl -sf -o /dev/null http://127.0.0.1:9090/metrics`)
			f.expect(t, "h1", poweredUnits, allOn)
			contains(t, f.lastResult(t), `"action":"start"`, `"result":"started"`)
			f.runs(t, "h1", poweredSlow)
		})
	}
	f.deploy(t, 0, first, "--limit", "h1")
}
