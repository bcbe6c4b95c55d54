package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What a person changes by hand on a host is told, each thing by its name, and is
// gone again after it is put right.
func TestStatusDrift(t *testing.T) {
	f := road
	f.deploy(t, 0, first, "--limit", "h1,h2")
	f.verb(t, 0, "status", "h1,h2")
	drift := func(change, undo, want string) {
		t.Helper()
		f.sh(t, "h1", change)
		out, code := f.run(t, f.fleet("status", "", "--limit", "h1,h2")...)
		f.sh(t, "h1", undo) // before anything ends the test
		if code != 1 {
			t.Errorf("%s: exit code %d, want 1", change, code)
		}
		contains(t, out, want)
		for line := range strings.Lines(out) {
			if strings.HasPrefix(line, "h2:") {
				t.Errorf("of a host that nobody touched: %s", line)
			}
		}
		f.verb(t, 0, "status", "h1,h2")
	}
	const file = "/usr/share/kinectl/hello/spec.yml"
	drift(`cp -a `+file+` /root/kept; echo '#' >>`+file, `cp -a /root/kept `+file, "h1: drift: changed file of the package: "+file)
	drift(`echo X=1 >>/etc/hello/environment`, `sed -i '$d' /etc/hello/environment`, "h1: drift: /etc/hello/environment is not the one that was deployed")
	drift(`mv /etc/apt/preferences.d/kinectl-hello /root/pin`, `mv /root/pin /etc/apt/preferences.d/kinectl-hello`, "kinectl-hello does not hold the version that was deployed")
	drift(`systemctl set-property hello MemoryMax=50M`, `rm -r /etc/systemd/system.control/hello.service.d; systemctl daemon-reload`, "hello.service has the drop-in /etc/systemd/system.control/hello.service.d/50-MemoryMax.conf")
	drift(`cp /usr/lib/systemd/system/hello.service /etc/systemd/system/; systemctl daemon-reload`, `rm /etc/systemd/system/hello.service; systemctl daemon-reload`, "hello.service is overridden by /etc/systemd/system/hello.service")
	drift(`mkdir /etc/systemd/system/hello.service.d; echo >/etc/systemd/system/hello.service.d/x.conf`, `rm -r /etc/systemd/system/hello.service.d; systemctl daemon-reload`, "systemd has not read what is on disk")
	drift(`systemctl disable hello`, `systemctl enable hello`, "hello.service is disabled: no boot would start it")
	drift(`systemctl stop hello; systemctl mask hello`, `systemctl unmask hello; systemctl start hello; until curl -sf -o /dev/null http://127.0.0.1:9090/metrics; do sleep 0.1; done`, "hello.service is masked")
	drift(`mkdir -p /var/lib/kinectl/other/releases/1; echo "metrics_port='9090'" >/var/lib/kinectl/other/releases/1/parameters`,
		`rm -r /var/lib/kinectl/other`, "h1: port 9090 is also that of other")

	t.Run("a release is under way", func(t *testing.T) {
		f.sh(t, "h1", `echo X=1 >>/etc/hello/environment; systemd-run --quiet --unit=kinectl-hello sleep infinity`)
		out, code := f.run(t, f.fleet("status", "", "--limit", "h1,h2")...)
		f.sh(t, "h1", `systemctl stop kinectl-hello; sed -i '$d' /etc/hello/environment`)
		if code != 1 || strings.Contains(out, "drift") {
			t.Errorf("exit code %d\n%s", code, out)
		}
		contains(t, out, "h1    1.0.0    changing ", "h1: at work: a release whose deployer is gone", "h2    1.0.0    healthy")
	})

	t.Run("a version that was installed by hand, and skew", func(t *testing.T) {
		f.deploy(t, 0, second, "--limit", "h2")
		contains(t, f.verb(t, 1, "status", "h1,h2"), "the newest release is 1.1.0; not on it: h1")
		f.deploy(t, 0, second, "--limit", "h1")
		f.sh(t, "h1", `dpkg -i /var/lib/kinectl/hello/releases/*/package.deb >/dev/null 2>&1; apt-get -q -y install --allow-downgrades hello=1.0.0; systemctl restart hello`)
		contains(t, f.verb(t, 1, "status", "h1,h2"), "1.0.0 is installed, 1.1.0 was deployed", "not on it: h1")
		f.deploy(t, 0, first, "--limit", "h1,h2")
		f.verb(t, 0, "status", "h1,h2")
	})

	t.Run("what is in use", func(t *testing.T) {
		out, code := f.run(t, "status", "--infra", f.infra, "--env", "lab", "--in-use")
		if code != 0 {
			t.Fatalf("exit code %d\n%s", code, out)
		}
		contains(t, out, "hello 1.0.0\n", "hello 1.1.0\n")
		list := filepath.Join(t.TempDir(), "in-use")
		if err := os.WriteFile(list, []byte(out), 0o644); err != nil {
			t.Fatal(err)
		}
		if out, code := f.run(t, "repo", "prune", f.repo, "--key", filepath.Join(f.dir, "key.asc"), "--in-use", list, "--dry-run", "--keep", "1", "--younger-than", "0s"); code != 0 || strings.Contains(out, "would remove hello 1.1.0") {
			t.Errorf("prune: exit code %d\n%s", code, out)
		}
		contains(t, f.verb(t, 0, "status", "h1,h2", "--all"), "SERVICE", "hello    h1    1.0.0    healthy")
	})

	t.Run("a host that is down", func(t *testing.T) {
		f.powerCut(t, "h2")
		start := time.Now()
		contains(t, f.verb(t, 1, "status", "h1,h2"), "h1    1.0.0    healthy ", "h2    ?        unreachable")
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("a host that is down held it up for %.0f s", took.Seconds())
		} else {
			t.Logf("status with a host down took %.1f s", took.Seconds())
		}
		contains(t, f.verb(t, 1, "history", "h1,h2"), "deploy 1.0.0 → 1.1.0", "h2: did not answer")
		if out, code := f.run(t, "status", "--infra", f.infra, "--env", "lab", "--in-use"); code != 1 || strings.Contains(out, "hello 1") {
			t.Errorf("what is in use, with a host down: exit code %d\n%s", code, out)
		}
	})
}

// The history of a host does not grow for ever, and no line of it is lost or torn.
func TestHistoryRotates(t *testing.T) {
	f := road
	f.deploy(t, 0, first, "--limit", "h1")
	f.sh(t, "h1", `cd /var/lib/kinectl/hello; line=$(tail -n 1 releases.jsonl); yes "$line" | head -c 1100000 | grep '}$' >releases.jsonl; printf %s "$line" | head -c 50 >>releases.jsonl`)
	f.deploy(t, 0, second, "--limit", "h1")
	f.expect(t, "h1", `cd /var/lib/kinectl/hello; wc -l <releases.jsonl; [ "$(wc -c <releases.jsonl.1)" -gt 1048576 ] && echo kept; tail -c 1 releases.jsonl.1 | od -An -c | tr -d ' '`, "1\nkept\n\\n")
	out := f.verb(t, 0, "history", "h1", "-n", "2")
	contains(t, out, "deploy 1.0.0 → 1.1.0")
	if n := strings.Count(out, "\n"); n != 3 {
		t.Errorf("%d lines, want a heading and two:\n%s", n, out)
	}
	f.deploy(t, 0, first, "--limit", "h1")
	f.expect(t, "h1", `wc -l </var/lib/kinectl/hello/releases.jsonl; rm /var/lib/kinectl/hello/releases.jsonl.1`, "2")
}
