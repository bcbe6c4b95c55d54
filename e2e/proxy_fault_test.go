package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

const (
	marksLeft     = `ls /run/kinectl-proxy/abrupt` // at nginx: the hosts that are out
	timersLeft    = `systemctl list-units --plain --no-legend 'kinectl-proxy-*.timer' | wc -l`
	abruptAnswers = `curl -s http://127.0.0.1:8080/ | cut -d ' ' -f 1,2`
	abruptProcess = `systemctl show -P MainPID abrupt; wc -l </var/lib/kinectl/abrupt/releases.jsonl`
)

// drains waits until a host is out at nginx, and in the transaction's drain.
func (p *proxied) drains(t *testing.T, host string) {
	t.Helper()
	p.await(t, nginxHost, `[ -e /run/kinectl-proxy/abrupt/`+host+` ]`)
	p.await(t, host, `[ -e /run/abrupt/drain ]`)
}

// variables are those of one host, until the end of the test.
func (p *proxied) variables(t *testing.T, host, text string) {
	t.Helper()
	path := filepath.Join(p.infra, "inventories", "lab", "host_vars", host+".yml")
	write(t, path, text)
	t.Cleanup(func() {
		if err := os.Remove(path); err != nil {
			t.Error(err)
		}
	})
}

// abandoned is a deploy whose deployer is killed, with its Ansible, when nginx has taken
// h1 out. The host finishes alone.
func (p *proxied) abandoned(t *testing.T) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), p.kinectl, p.to("deploy", "--version", second)...)
	cmd.Env = append(os.Environ(), "KINECTL_LEASE=10s")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.drains(t, "h1")
	killTree(t, cmd.Process.Pid)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	p.expect(t, nginxHost, marksLeft, "h1")
	p.await(t, "h1", `[ ! -e /run/abrupt/drain ] && [ "$(`+abruptAnswers+`)" = "h1 1.1.0" ]`)
	p.expect(t, "h2", abruptAnswers, "h2 1.0.0")
}

// again deploys the same after that. Nothing is to change on h1, which is back before h2
// goes out all the same: else h2 would be the last that answers, and restart in traffic.
func (p *proxied) again(t *testing.T) {
	p.variables(t, "h1", "kinectl_out_for: 600\n") // its timer is not what brings it back
	p.abandoned(t)
	end := p.launch(t, p.to("deploy", "--version", second, "--wait", "1m")...)
	p.drains(t, "h2")
	p.expect(t, nginxHost, marksLeft, "h2")
	out, code := end()
	if code != 0 {
		t.Errorf("exit code %d", code)
	}
	contains(t, out, "1 deployed, 1 unchanged")
	p.expect(t, nginxHost, marksLeft+"; "+timersLeft, "0")
	p.bothAnswer(t)
	p.must(t, p.to("deploy", "--version", first)...)
}

// lost cuts the power of h1 while it drains. Nobody knows how far it has come, so it
// stays out until the timer's end, and the roll stops.
func (p *proxied) lost(t *testing.T) {
	end := p.launch(t, p.to("deploy", "--version", second)...)
	p.drains(t, "h1")
	back := p.powerCut(t, "h1")
	out, code := end()
	if code != 1 {
		t.Errorf("exit code %d", code)
	}
	contains(t, out, "h1 ", "unreachable", "not touched h2")
	p.expect(t, nginxHost, marksLeft+"; "+timersLeft, "h1\n1")
	p.expect(t, "h2", abruptAnswers, "h2 1.0.0")
	back()
	p.await(t, "h1", `[ "$(`+abruptAnswers+`)" = "h1 1.0.0" ]`)
	p.await(t, nginxHost, `[ ! -e /run/kinectl-proxy/abrupt/h1 ]`)
	p.expect(t, nginxHost, timersLeft, "0")
	p.bothAnswer(t)
}

// three has a third host behind the proxies, so that a roll by two has one left. It is
// never touched.
func (p *proxied) three(t *testing.T) {
	t.Helper()
	p.inventory(t, "h1", "h2", haproxyHost)
	t.Cleanup(func() {
		p.expect(t, haproxyHost, `systemctl show -P LoadState abrupt`, "not-found")
		p.inventory(t, "h1", "h2")
	})
}

// untouched deploys by two, which must be refused, and leave all hosts as they are.
func (p *proxied) untouched(t *testing.T, why, hosts string) {
	t.Helper()
	p.three(t)
	before := map[string]string{"h1": p.sh(t, "h1", abruptProcess), "h2": p.sh(t, "h2", abruptProcess)}
	out, code := p.run(t, p.to("deploy", "--version", second, "--serial", "2")...)
	if code != 1 {
		t.Errorf("exit code %d\n%s", code, out)
	}
	contains(t, out, "h3 of the group proxy: "+why, "so this host stays as it is", "not touched "+hosts)
	for host, was := range before {
		p.expect(t, host, abruptProcess, was)
		p.expect(t, host, abruptAnswers, host+" 1.0.0")
	}
}

// refused is a proxy that can note down nothing.
func (p *proxied) refused(t *testing.T) {
	p.sh(t, nginxHost, `rm -r /run/kinectl-proxy && : >/run/kinectl-proxy`)
	t.Cleanup(func() { p.sh(t, nginxHost, `rm -f /run/kinectl-proxy`) })
	p.untouched(t, "/run/kinectl-proxy could not be locked", "h4")
}

// refusedOne is a mistake in the variables of h2: h1, whose turn it is at the same time,
// was out already. It stays as it is too, and is back.
func (p *proxied) refusedOne(t *testing.T) {
	p.variables(t, "h2", "kinectl_out_for: soon\n")
	p.untouched(t, "no timer to bring h2 back", "h1 h4")
	p.expect(t, nginxHost, marksLeft+"; "+timersLeft, "0")
}

// keptOut is a mark that cannot be removed, since somebody has mounted something
// there. h2, whose turn it is at the same time, is released and back; the roll stops.
func (p *proxied) keptOut(t *testing.T) {
	p.three(t)
	const mark = `/run/kinectl-proxy/abrupt/h1`
	end := p.launch(t, p.to("deploy", "--version", second, "--serial", "2")...)
	p.drains(t, "h1")
	p.sh(t, nginxHost, `mount --bind `+mark+` `+mark)
	free := func() { p.sh(t, nginxHost, `! mountpoint -q `+mark+` || umount `+mark) }
	t.Cleanup(free)
	out, code := end()
	if code != 1 {
		t.Errorf("exit code %d", code)
	}
	contains(t, out, "h3 of the group proxy: h1 could not be brought back", "this host may be out of traffic there until the proxy's timer ends", "not touched h4")
	p.expect(t, nginxHost, marksLeft+"; "+timersLeft, "h1\n1")
	p.expect(t, "h1", abruptAnswers, "h1 1.1.0")
	p.expect(t, "h2", abruptAnswers, "h2 1.1.0")
	free()
	p.await(t, nginxHost, `[ ! -e `+mark+` ]`)
	p.bothAnswer(t)
	p.inventory(t, "h1", "h2")
	p.must(t, p.to("deploy", "--version", first)...)
}
