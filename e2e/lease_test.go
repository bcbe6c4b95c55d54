package e2e

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// gated is a judgement that ends when a file is there, so that a release lasts as
// long as a test needs it to.
const gated = "deploy: {serial: 1, probe: {type: exec, command: /usr/bin/test -e /srv/go, timeout: 2m, settle: 0s}}" + variables

// gate makes the releases of gated versions wait on the first host, and lets them
// go on everywhere when open is called.
func (f *fixture) gate(t *testing.T) (open func()) {
	t.Helper()
	for _, h := range hosts[1:] {
		f.sh(t, h, `touch /srv/go`)
	}
	f.sh(t, "h1", `rm -f /srv/go`)
	t.Cleanup(func() {
		for _, h := range hosts {
			f.sh(t, h, `touch /srv/go`)
		}
		f.awaitIdle(t, "h1")
	})
	return func() { f.sh(t, "h1", `touch /srv/go`) }
}

// deployer is a release that is under way while another one tries.
type deployer struct {
	cmd *exec.Cmd
	out bytes.Buffer
}

// begin starts a program on an account of its own, as if on another machine, and
// returns when the first host is in its transaction. It lives as long as the test.
func (f *fixture) begin(t *testing.T, argv ...string) *deployer {
	t.Helper()
	d := &deployer{cmd: exec.CommandContext(t.Context(), argv[0], argv[1:]...)}
	d.cmd.Env = append(os.Environ(), "XDG_STATE_HOME="+t.TempDir())
	d.cmd.Stdout, d.cmd.Stderr = &d.out, &d.out
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	f.await(t, "h1", `systemctl is-active -q kinectl-hello`)
	return d
}

// ends waits for the program and compares its exit code.
func (d *deployer) ends(t *testing.T, code int) {
	t.Helper()
	_ = d.cmd.Wait()
	if got := d.cmd.ProcessState.ExitCode(); got != code {
		t.Errorf("%v: exit code %d, want %d\n%s", d.cmd.Args, got, code, d.out.String())
	}
}

// rendered is the playbook of a version, which runs without kinectl.
func (f *fixture) rendered(t *testing.T, version string) string {
	t.Helper()
	dir := t.TempDir()
	if out, code := f.run(t, "render", "-f", f.spec(version), "--version", version, "-o", dir); code != 0 {
		t.Fatalf("render: exit code %d\n%s", code, out)
	}
	return filepath.Join(dir, "ansible", "deploy.yml")
}

// bare is the command line of a playbook, by Ansible alone.
func (f *fixture) bare(playbook string, more ...string) []string {
	return append([]string{"ansible-playbook", "-i", filepath.Join(f.infra, "inventories", "lab"), playbook}, more...)
}

// awaitIdle waits for the end of a transaction that nobody waits for any more.
func (f *fixture) awaitIdle(t *testing.T, host string) {
	t.Helper()
	f.await(t, host, `[ "$(systemctl show -P ActiveState kinectl-hello)" = inactive ]`)
}

// One deployer is at it: every other is told who, since when and what, with
// other hosts too, with kinectl or without it.
func TestLease(t *testing.T) {
	f := road
	const long = "43.0.0"
	f.offer(t, long, "", gated)
	f.deploy(t, 0, first)
	open := f.gate(t)
	playbook := f.rendered(t, second)
	held := "under way on this host: deploy of " + long + " by root from 198.51.100.1, since 20"

	one := f.begin(t, append([]string{f.kinectl}, f.fleet("deploy", long, "--limit", "h1,h2")...)...)
	contains(t, f.deploy(t, 4, second), held, "not touched h2 h3 h4")
	contains(t, f.deploy(t, 4, second, "--limit", "h4"), "h1 ", held, "not touched h4")
	contains(t, f.deploy(t, 0, second, "--limit", "h3", "--check"), "now it would be refused: "+held)
	for _, limit := range []string{"all", "h3"} {
		out, err := exec.Command("ansible-playbook", f.bare(playbook, "--limit", limit)[1:]...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "locked: "+held) {
			t.Errorf("ansible-playbook --limit %s: %v\n%s", limit, err, out)
		}
	}
	out, code := f.run(t, f.fleet("rollback", "", "--to", first, "--limit", "h2", "--wait", "1s")...)
	if code != 4 || !strings.Contains(out, held) {
		t.Errorf("rollback: exit code %d\n%s", code, out)
	}
	process := f.sh(t, "h3", `systemctl show -P MainPID hello`)
	for _, verb := range []string{"restart", "stop", "start", "remove"} {
		contains(t, f.verb(t, 4, verb, "h3"), held)
	}
	f.expect(t, "h3", `systemctl show -P MainPID hello`, process)
	// Who waits gets it, as soon as it is given back.
	waiting := exec.CommandContext(t.Context(), f.kinectl, f.fleet("deploy", second, "--limit", "h3", "--wait", "2m")...)
	waiting.Env = append(os.Environ(), "XDG_STATE_HOME="+t.TempDir())
	told, err := waiting.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := waiting.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(told)
	for line := ""; !strings.HasPrefix(line, "  waiting "); {
		if line, err = lines.ReadString('\n'); err != nil {
			t.Fatalf("it did not wait: %v", err)
		}
	}
	open()
	one.ends(t, 0)
	rest, _ := io.ReadAll(lines)
	if err := waiting.Wait(); err != nil {
		t.Errorf("the one that waited: %v", err)
	}
	contains(t, string(rest), "1 deployed")
	f.expect(t, "h2", `cat /run/kinectl/lease/hello/beat-*; stat -c '%a %U' /run/kinectl /run/kinectl/lease/hello /run/kinectl/lease/hello/holder`, "755 root\n755 root\n644 root")

	// The other way round: Ansible alone has it.
	f.deploy(t, 0, first)
	open = f.gate(t)
	two := f.begin(t, f.bare(f.rendered(t, long), "--limit", "h1")...)
	const id = `sed -n 's/.*"id": *"\([^"]*\)".*/\1/p' /run/kinectl/lease/hello/holder`
	f.expect(t, "h4", id, f.sh(t, "h1", id)) // which --limit leaves out
	contains(t, f.deploy(t, 4, second, "--limit", "h4"), held)
	open()
	two.ends(t, 0)
	f.runs(t, "h1", long)
	f.deploy(t, 0, first)
}

// However a deployer ends, nobody has to clean up after it: a lease is given back,
// or runs out.
func TestLeaseOfTheDead(t *testing.T) {
	f := road
	const long = "43.1.0"
	f.offer(t, long, "", gated)
	for _, c := range []struct {
		name  string
		kill  func(*testing.T, *deployer)
		given bool // back, at once
	}{
		{"kill -9 of ansible-playbook", func(t *testing.T, d *deployer) { killTree(t, d.cmd.Process.Pid) }, false},
		{"kill -9 of kinectl", func(t *testing.T, d *deployer) { _ = d.cmd.Process.Kill() }, true},
		{"Ctrl-C", func(t *testing.T, d *deployer) { _ = d.cmd.Process.Signal(os.Interrupt) }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			f.deploy(t, 0, first, "--wait", "1m")
			open := f.gate(t)
			one := f.begin(t, append([]string{f.kinectl}, f.fleet("deploy", long)...)...)
			c.kill(t, one)
			_ = one.cmd.Wait()
			beat := `[ -s /run/kinectl/lease/hello/beat-* ]`
			if c.given {
				f.await(t, "h2", "! "+beat)
			} else {
				f.sh(t, "h2", beat)
			}
			// Refused by its lease, or by the host that goes on alone.
			contains(t, f.deploy(t, 4, second), "under way on this host: deploy of "+long+" by root from 198.51.100.1, since 20")
			open()
			f.awaitIdle(t, "h1")
			start := time.Now()
			contains(t, f.deploy(t, 0, second, "--wait", "1m"), "4 deployed")
			t.Logf("the next one was through after %.1f s", time.Since(start).Seconds())
			f.runs(t, "h1", second)
			f.runs(t, "h2", second)
		})
	}
}

// A deployer that was silent for longer than its lease, while another one came and
// went, must not go on with its own.
func TestLeaseLost(t *testing.T) {
	f := road
	const long = "8.2.0"
	f.offer(t, long, "", gated)
	f.deploy(t, 0, first)
	open := f.gate(t)
	one := f.begin(t, append([]string{f.kinectl}, f.fleet("deploy", long)...)...)
	below := childrenOf(one.cmd.Process.Pid)
	if len(below) != 1 {
		t.Fatalf("below kinectl are %v, not Ansible alone", below)
	}
	signal := func(s syscall.Signal) {
		t.Helper()
		if err := syscall.Kill(-below[0], s); err != nil { // its workers are in its group
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = syscall.Kill(-below[0], syscall.SIGCONT) }) // when the test has ended before
	signal(syscall.SIGSTOP)
	open()
	f.awaitIdle(t, "h1")
	f.deploy(t, 0, second, "--wait", "1m")
	signal(syscall.SIGCONT)
	one.ends(t, 4)
	contains(t, one.out.String(), "h2 ", "the lease ran out, and this host has had another since: deploy of "+second)
	for _, h := range hosts {
		f.runs(t, h, second)
	}
}

// Who it was, when the login is not root's: through sudo, and by the comment of the
// key where sshd tells which one it was. The lease is kept alive without root.
func TestLeaseLogin(t *testing.T) {
	f := road
	f.deploy(t, 0, first)
	f.sh(t, "h1", `useradd --create-home --shell /bin/sh dev; echo 'dev ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/dev
		cp -p /etc/ssh/lab_authorized_keys /root/keys; sed -i 's/^\(ssh-[^ ]* [^ ]*\).*/\1 anna@"laptop"/' /etc/ssh/lab_authorized_keys
		echo 'ExposeAuthInfo yes' >/etc/ssh/sshd_config.d/expose.conf; systemctl reload ssh`)
	t.Cleanup(func() {
		f.sh(t, "h1", `mv /root/keys /etc/ssh/lab_authorized_keys; rm /etc/ssh/sshd_config.d/expose.conf /etc/sudoers.d/dev; systemctl reload ssh; userdel --remove --force dev 2>/dev/null; true`)
	})
	const long = "8.3.0"
	f.offer(t, long, "", gated)
	open := f.gate(t)
	one := f.begin(t, f.bare(f.rendered(t, long), "--limit", "h1", "-e", "ansible_user=dev")...)
	contains(t, f.deploy(t, 4, second), "under way on this host: deploy of "+long+" by anna@laptop as dev from 198.51.100.1, since ")
	// A beat of its own: younger than the lease, though the transaction is older.
	f.sh(t, "h1", `cd /run/kinectl/lease/hello; [ "$(stat -c %U beat-*)" = dev ]; was=$(cat beat-*); for i in $(seq 100); do [ "$(cat beat-*)" = "$was" ] || exit 0; sleep 0.1; done; exit 1`)
	open()
	one.ends(t, 0)
	contains(t, f.lastResult(t), `"who":"anna@laptop as dev from 198.51.100.1"`)
	f.expect(t, "h1", `cat /run/kinectl/lease/hello/beat-*`, "")
	f.deploy(t, 0, first)
}

// A host that is left out and does not answer is nobody's trouble.
func TestLeaseUnreachable(t *testing.T) {
	f := road
	f.deploy(t, 0, first)
	back := f.powerCut(t, "h1")
	contains(t, f.deploy(t, 0, second, "--limit", "h2"), "1 deployed")
	back()
	f.deploy(t, 0, first)
}
