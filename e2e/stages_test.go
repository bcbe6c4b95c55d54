package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The Monitoring stage tells Prometheus where the service is, and takes it
// away again with the service.
func TestMonitoring(t *testing.T) {
	f := road
	group := filepath.Join(f.infra, "inventories", "lab", "monitoring.yml")
	if err := os.WriteFile(group, []byte("monitoring:\n  hosts:\n    h4: {}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.Remove(group); err != nil {
			t.Error(err)
		}
	})
	f.deploy(t, 0, first)
	text := f.sh(t, "h4", `cat /etc/prometheus/targets/hello.json`)
	var targets []struct {
		Targets []string
		Labels  map[string]string
	}
	if err := json.Unmarshal([]byte(text), &targets); err != nil || len(targets) != 1 {
		t.Fatalf("%v in %s", err, text)
	}
	want := []string{"198.51.100.11:9090", "198.51.100.12:9090", "198.51.100.13:9090", "198.51.100.14:9090"}
	if got := targets[0]; len(got.Targets) != 4 || got.Targets[0] != want[0] || got.Targets[3] != want[3] || got.Labels["job"] != "hello" {
		t.Errorf("targets %+v, want %v", got, want)
	}
	f.promtool(t, f.sh(t, "h4", `cat /etc/prometheus/rules/hello.rules.yml`))

	// Reloaded when something changed, and only then; what Prometheus would not
	// take does not replace what it has.
	f.sh(t, "h4", `printf '[Service]\nExecStart=/bin/sleep infinity\nExecReload=/bin/sh -c "echo reloaded >>/run/reloads"\n' >/run/systemd/system/prometheus.service; systemctl start prometheus`)
	const reloads = `cat /run/reloads 2>/dev/null; true`
	f.deploy(t, 0, first)
	f.expect(t, "h4", reloads, "")
	f.sh(t, "h4", `echo '# old' >/etc/prometheus/rules/hello.rules.yml; printf '#!/bin/sh\necho "no such function"; exit 1\n' >/usr/bin/promtool; chmod 755 /usr/bin/promtool`)
	contains(t, f.deploy(t, 1, first), "no such function")
	f.expect(t, "h4", `cat /etc/prometheus/rules/hello.rules.yml; ls -A /etc/prometheus/rules`, "# old\nhello.rules.yml")
	f.expect(t, "h4", reloads, "")
	f.sh(t, "h4", `rm /usr/bin/promtool`)
	contains(t, f.deploy(t, 0, first, "--limit", "h1:!h4"), "monitoring skipped: --limit leaves no host of the group monitoring")
	f.expect(t, "h4", reloads, "")
	contains(t, f.deploy(t, 0, first, "--limit", "h1"), "Prometheus is told") // of all hosts, whichever are deployed
	f.expect(t, "h4", reloads, "reloaded")
	f.deploy(t, 0, first)
	f.expect(t, "h4", reloads, "reloaded")
	if out, code := f.run(t, f.fleet("remove", "")...); code != 0 {
		t.Fatalf("remove: exit code %d\n%s", code, out)
	}
	f.expect(t, "h4", `ls /etc/prometheus/targets /etc/prometheus/rules; cat /run/reloads; systemctl stop prometheus; rm /run/systemd/system/prometheus.service /run/reloads; systemctl daemon-reload`,
		"/etc/prometheus/rules:\n\n/etc/prometheus/targets:\nreloaded\nreloaded")
	f.sh(t, "h4", `rm -r /etc/prometheus`)
}

// promtool gives rules to Prometheus' own check.
func (f *fixture) promtool(t *testing.T, rules string) {
	t.Helper()
	program, err := exec.LookPath("promtool")
	if err != nil {
		if os.Getenv("KINECTL_E2E") == "required" {
			t.Fatal("promtool is not installed: the rules were not given to Prometheus")
		}
		t.Log("promtool is not installed: the rules were not given to Prometheus")
		return
	}
	file := filepath.Join(t.TempDir(), "rules.yml")
	write(t, file, rules+"\n")
	if out, err := exec.Command(program, "check", "rules", file).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// A host that is lost in the middle of the roll, after all were reached, stops
// it too: at serial 1 and at 2.
func TestHostLostOnTheWay(t *testing.T) {
	f := road
	for _, c := range []struct {
		version, lost string
		untouched     []string
	}{{slow, "h2", []string{"h3", "h4"}}, {slowPairs, "h3", nil}} {
		f.deploy(t, 0, first, "--wait", "30s") // a host that was lost could not give its lease back
		var out bytes.Buffer
		cmd := exec.Command(f.kinectl, f.fleet("deploy", c.version)...)
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// While the first host settles, the lost one's sshd and its sessions go.
		f.await(t, "h1", `systemctl is-active -q kinectl-hello`)
		f.sh(t, c.lost, `systemctl stop ssh.socket 2>/dev/null; systemctl kill -s KILL --kill-whom=all ssh.service; systemctl stop ssh.service`)
		_ = cmd.Wait()
		f.sh(t, c.lost, `systemctl reset-failed ssh.service 2>/dev/null; systemctl start ssh.service`)
		if code := cmd.ProcessState.ExitCode(); code != 1 {
			t.Errorf("%s: exit code %d, want 1", c.version, code)
		}
		contains(t, out.String(), c.lost+" ", "unreachable")
		f.runs(t, "h1", c.version)
		f.runs(t, c.lost, first)
		for _, h := range c.untouched {
			f.runs(t, h, first)
		}
	}
	f.deploy(t, 0, first, "--wait", "30s")
}
