package e2e

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Every way in which a version can be bad is found by the host itself.
func TestBadVersions(t *testing.T) {
	f := road
	f.deploy(t, 0, first)
	for _, c := range []struct{ version, why string }{
		{broken, "got 500, not 200"},
		{crashes, "hello.service"},
		{liar, "says that it is version '9.9.9', not '3.1.0'"},
	} {
		out := f.deploy(t, 3, c.version, "--limit", "h1")
		contains(t, out, "rolled back: 1.0.0 again", c.why)
		f.runs(t, "h1", first)
	}
}

// A crash counts against the version that crashed. systemd's own restart of that one may
// come in the same moment as ours of the good one.
func TestGoodAfterCrash(t *testing.T) {
	f := road
	f.deploy(t, 0, first, "--limit", "h1")
	f.sh(t, "h1", `mkdir -p /etc/systemd/system/hello.service.d && printf '[Service]\nRestartSec=20ms\n' >/etc/systemd/system/hello.service.d/at-once.conf; systemctl daemon-reload`)
	t.Cleanup(func() { f.sh(t, "h1", `rm -rf /etc/systemd/system/hello.service.d; systemctl daemon-reload`) })
	for range 3 {
		contains(t, f.deploy(t, 3, crashes, "--limit", "h1"), "rolled back: 1.0.0 again", "crashed and was started again")
		f.runs(t, "h1", first)
	}
	f.sh(t, "h1", `rm -r /etc/systemd/system/hello.service.d; systemctl daemon-reload; echo HELLO_FAULT=exit >>/etc/hello/environment; systemctl restart hello || true`)
	f.await(t, "h1", `[ "$(systemctl show -P NRestarts hello)" -gt 1 ] && [ "$(systemctl show -P SubState hello)" = auto-restart ]`)
	contains(t, f.deploy(t, 0, second, "--limit", "h1"), "1.0.0 → 1.1.0, healthy")
	f.runs(t, "h1", second)
}

// A host that fails, or cannot be reached, stops the roll: at serial 1 the
// next host is untouched, at serial 2 the next pair.
func TestTheRollStops(t *testing.T) {
	f := road
	f.deploy(t, 0, first)
	out := f.deploy(t, 3, pairBad)
	contains(t, out, "h1 ", "h2 ", "not touched h3 h4")
	for _, h := range hosts {
		f.runs(t, h, first)
	}

	t.Run("one of a pair fails", func(t *testing.T) {
		f.sh(t, "h2", `mkdir -p /etc/systemd/system/hello.service.d && printf '[Service]\nExecStartPre=/bin/false\n' > /etc/systemd/system/hello.service.d/broken.conf`)
		defer func() {
			f.sh(t, "h2", `rm -r /etc/systemd/system/hello.service.d; systemctl daemon-reload; systemctl reset-failed hello; systemctl restart hello`)
			f.deploy(t, 0, first)
		}()
		out, code := f.run(t, f.fleet("deploy", pairs)...)
		if code != 1 { // h2 could not be made healthy on its old version either
			t.Errorf("exit code %d, want 1\n%s", code, out)
		}
		contains(t, out, "not touched h3 h4")
		f.expect(t, "h2", `dpkg-query -W -f '${db:Status-Abbrev}${Version}' hello`, "ii "+first)
		f.runs(t, "h1", pairs)
		f.runs(t, "h3", first)
		f.runs(t, "h4", first)
	})

	for _, version := range []string{second, pairs} {
		t.Run("unreachable with "+version, func(t *testing.T) {
			f.sh(t, "h2", `systemctl stop ssh.socket ssh.service`)
			defer f.sh(t, "h2", `systemctl start ssh.service`)
			out := f.deploy(t, 1, version)
			contains(t, out, "h2 ", "unreachable", "not touched h1 h3 h4")
			f.runs(t, "h1", first)
			f.runs(t, "h3", first)
			status, code := f.run(t, f.fleet("status", "")...)
			if code != 1 {
				t.Errorf("status with a host down: exit code %d", code)
			}
			contains(t, status, "unreachable", "healthy")
		})
	}
	f.runs(t, "h2", first)
}

// Whatever is wrong before the first host is touched leaves the fleet alone.
func TestNothingStarts(t *testing.T) {
	f := road
	f.deploy(t, 0, first)
	since := f.sh(t, "h1", `systemctl show -P MainPID hello; wc -l </var/lib/kinectl/hello/releases.jsonl`)

	out := f.deploy(t, 2, "7.7.7")
	contains(t, out, "hello 7.7.7", "not in the repository", "1.1.0 (", "hint: build it with `kinectl package --version 7.7.7`")

	f.configure(t, "greeting: hello\n")
	out = f.deploy(t, 2, second)
	contains(t, out, "the variable log_level is not defined for h1 h2 h3 h4")
	f.configure(t, "log_level: info\ngreeting: hello\n")

	bad := filepath.Join(t.TempDir(), "spec.yml")
	if err := os.WriteFile(bad, []byte("service:\n  nam: hello\n  group: applications\n  description: x\n  limits: {mem: lots}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	out, code := f.run(t, "deploy", "-f", bad, "--infra", f.infra, "--env", "lab", "--version", first)
	if code != 2 {
		t.Errorf("a bad spec: exit code %d", code)
	}
	contains(t, out, "spec.yml:2:3", "did you mean name?", "spec.yml:5:17", `mem cannot be "lots"`)

	out, code = f.run(t, "deploy", "-f", f.spec(first), "--infra", f.infra, "--env", "nowhere", "--version", first)
	if code != 2 {
		t.Errorf("no such environment: exit code %d", code)
	}
	contains(t, out, `no inventory of "nowhere"`, "there is lab")

	f.expect(t, "h1", `systemctl show -P MainPID hello; wc -l </var/lib/kinectl/hello/releases.jsonl`, since)
}

// A repository that the host does not trust, and a disk without room.
func TestHostRefuses(t *testing.T) {
	f := road
	f.deploy(t, 0, first)
	t.Run("wrong signature", func(t *testing.T) {
		f.sh(t, "h1", `mv /etc/apt/keyrings/kinectl.asc /root/right.asc && cp /usr/share/keyrings/debian-archive-keyring.gpg /etc/apt/keyrings/kinectl.asc 2>/dev/null || cp /etc/apt/trusted.gpg.d/*bookworm-stable*.asc /etc/apt/keyrings/kinectl.asc`)
		defer f.sh(t, "h1", `mv /root/right.asc /etc/apt/keyrings/kinectl.asc`)
		out := f.deploy(t, 1, second)
		contains(t, out, "h1 ", "not signed by the key that this host trusts", "not touched h2 h3 h4")
	})
	t.Run("full disk", func(t *testing.T) {
		f.sh(t, "h1", `dd if=/dev/zero of=/var/full bs=1M 2>/dev/null; true`)
		defer f.sh(t, "h1", `rm -f /var/full`)
		out := f.deploy(t, 1, second)
		contains(t, out, "h1 ", "disk full: ", "not touched h2 h3 h4")
	})
	t.Run("the disk fills up on the way", func(t *testing.T) {
		f.sh(t, "h1", `free=$(df -P -k / | awk 'NR == 2 { print $4 }'); dd if=/dev/zero of=/var/full bs=1k count=$((free - 60000)) 2>/dev/null`)
		defer f.sh(t, "h1", `rm -f /var/full; systemctl stop filler 2>/dev/null; true`)
		// Once the transaction has its record, the rest of the disk goes too.
		f.sh(t, "h1", `systemd-run --quiet --collect --unit=filler sh -c 'until [ -e /var/lib/kinectl/hello/txn/record ]; do :; done; dd if=/dev/zero of=/var/full2 bs=1k 2>/dev/null; touch /run/filled; until [ ! -e /var/lib/kinectl/hello/txn ]; do :; done; rm -f /var/full2'`)
		out, code := f.run(t, f.fleet("deploy", second, "--limit", "h1")...)
		t.Logf("exit code %d\n%s", code, out)
		f.expect(t, "h1", `ls /run/filled; rm -f /run/filled /var/full /var/full2`, "/run/filled")
		f.runs(t, "h1", map[bool]string{true: second, false: first}[code == 0])
		f.deploy(t, 0, first, "--limit", "h1")
	})
	f.runs(t, "h1", first)
}

// Two deployers at once: one is told that somebody else is at it.
func TestSecondDeployer(t *testing.T) {
	f := road
	f.deploy(t, 0, first)
	var out bytes.Buffer
	one := exec.Command(f.kinectl, f.fleet("deploy", slow)...)
	one.Stdout, one.Stderr = &out, &out
	if err := one.Start(); err != nil {
		t.Fatal(err)
	}
	f.await(t, "h1", `systemctl is-active -q kinectl-hello`)
	said := f.deploy(t, 4, second)
	contains(t, said, "locked", "another kinectl on this machine is at it (process ")
	// From another machine, or another user's account, the hosts say so.
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	said = f.deploy(t, 4, second)
	contains(t, said, "h1 ", "locked", "under way on this host: deploy of "+slow+" by root from ")
	if err := one.Wait(); err != nil {
		t.Errorf("the first deployer: %v\n%s", err, out.String())
	}
	for _, h := range hosts {
		f.runs(t, h, slow)
	}
}

// await waits until a command on the host succeeds, for most of the minute that sh has.
func (f *fixture) await(t *testing.T, host, condition string) {
	t.Helper()
	f.sh(t, host, `read -r up _ </proc/uptime; end=$((${up%.*} + 55))
		until `+condition+`; do read -r up _ </proc/uptime; [ "${up%.*}" -lt "$end" ] || exit 1; sleep 0.01; done`)
}

// powerCut takes the power of a host away until back is called, which the end of the
// test does at the latest: the next one needs the host.
func (f *fixture) powerCut(t *testing.T, host string) (back func()) {
	t.Helper()
	back = func() {
		t.Helper()
		if err := f.lab.Boot(context.Background(), host); err != nil { // nothing, if it is up
			t.Fatal(err)
		}
	}
	t.Cleanup(back)
	if err := f.lab.PowerCut(context.Background(), host); err != nil {
		t.Fatal(err)
	}
	return back
}

// Ctrl-C in the middle: kinectl ends, the host finishes alone, nothing stays.
func TestInterrupt(t *testing.T) {
	f := road
	f.deploy(t, 0, first)
	var out bytes.Buffer
	cmd := exec.Command(f.kinectl, f.fleet("deploy", slow)...)
	cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	f.await(t, "h1", `systemctl is-active -q kinectl-hello`)
	start := time.Now()
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("interrupted: exit code %d, want 1", code)
	}
	t.Logf("ended %.1f s after Ctrl-C", time.Since(start).Seconds())
	contains(t, out.String(), "h1          unfinished", "not touched h2 h3 h4", "1 unfinished, 3 not touched", "interrupted in the middle of it on h1", "finishes it alone")
	f.await(t, "h1", `! systemctl is-active -q kinectl-hello`)
	f.runs(t, "h1", slow)
	f.runs(t, "h2", first)
	if left, _ := filepath.Glob(filepath.Join(strings.TrimPrefix(cmd.Env[len(cmd.Env)-1], "TMPDIR="), "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// The task works through become for a user who is not root, and the rendered
// playbook works without kinectl.
func TestBareAnsible(t *testing.T) {
	f := road
	f.deploy(t, 0, first)
	dir := t.TempDir()
	if out, code := f.run(t, "render", "-f", f.spec(second), "--version", second, "-o", dir); code != 0 {
		t.Fatalf("render: exit code %d\n%s", code, out)
	}
	cmd := exec.Command("ansible-playbook", "-i", filepath.Join(f.infra, "inventories", "lab"),
		filepath.Join(dir, "ansible", "deploy.yml"), "--limit", "h1,h2", "-e", "ansible_user=deploy")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("ansible-playbook: %v\n%s", err, out)
	}
	f.runs(t, "h1", second)
	f.runs(t, "h2", second)
	f.expect(t, "h1", `tail -n 1 /var/lib/kinectl/hello/releases.jsonl | grep -o '"who":"[a-z]*'`, `"who":"deploy`)
}

// Somebody takes the room that was kept for going back: the host tries again by
// itself, and goes back as soon as it can.
func TestGoingBackTriedAgain(t *testing.T) {
	f := road
	f.offer(t, "6.10.0", "probe500", "deploy: {probe: {timeout: 10s, settle: 0s}}"+variables)
	f.deploy(t, 0, first, "--limit", "h1")
	t.Cleanup(func() { f.sh(t, "h1", `systemctl stop full 2>/dev/null; rm -f /var/full`) })
	end := f.launch(t, f.fleet("deploy", "6.10.0", "--limit", "h1")...)
	f.await(t, "h1", `grep -qs '^judge ' /run/kinectl/hello.step`)
	f.sh(t, "h1", `systemd-run --quiet --collect --unit=full sh -c 'while :; do cat /dev/zero >>/var/full; sleep 0.01; done 2>/dev/null'`)
	out, code := end()
	contains(t, out, "going back failed too; this host tries it again every 10 s")
	if code != 1 {
		t.Errorf("exit code %d\n%s", code, out)
	}
	f.expect(t, "h1", `ls /var/lib/kinectl/hello/txn/record; systemctl show -P Restart kinectl-retry@hello`, "/var/lib/kinectl/hello/txn/record\non-failure")
	f.sh(t, "h1", `systemctl stop full; rm /var/full`)
	f.await(t, "h1", `[ ! -e /var/lib/kinectl/hello/txn ] && [ "$(systemctl show -P LoadState kinectl-retry@hello)" = not-found ]`)
	f.runs(t, "h1", first)
	f.clean(t, "h1")
	contains(t, f.lastResult(t), `"result":"recovered"`, "got 500, not 200", "going back failed at first, and was tried again", `"who":"root`)
	f.expect(t, "h1", `grep -c '6\.10\.0' /var/lib/kinectl/hello/releases.jsonl`, "1")
}
