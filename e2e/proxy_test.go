package e2e

import (
	"testing"
	"time"
)

// front is a proxy of the test; the address is the name that clients ask for.
type front struct{ kind, host, address string }

const nginxHost, haproxyHost = "h3", "h4"

// Debian's own of each.
var (
	nginx   = front{"nginx", nginxHost, "198.51.100.13"}
	haproxy = front{"HAProxy", haproxyHost, "198.51.100.14"}
)

// proxied is a lab of its own: a service that loses what it is doing when it is
// stopped, on h1 and h2, and the proxies in front of it.
type proxied struct {
	*shell
	rate  int       // requests a second through each proxy
	turns [][]front // proxies that have clients at the same time
}

// TestProxy deploys, restarts and goes back below clients of both proxies, with a
// version that is rolled back, and with a deployer that is killed. No request
// fails. The control is a restart that no proxy knows of. The long form
// (KINECTL_LONG=yes) is 2,000 requests a second through each, and ten restarts.
func TestProxy(t *testing.T) {
	p := newProxied(t)
	p.findTurns(t)
	for _, turn := range p.turns {
		name := turn[0].kind
		if len(turn) > 1 {
			name += " and " + turn[1].kind
		}
		t.Run(name, func(t *testing.T) {
			p.releases(t, turn)
			t.Run("the deployer is killed", func(t *testing.T) { p.killed(t, turn) })
		})
	}
	t.Run("the same again after a dead deployer", p.again)
	t.Run("a host is lost", p.lost)
	t.Run("nginx takes no host out", p.refused)
	t.Run("nginx takes one host of two out", p.refusedOne)
	t.Run("nginx does not take a host back", p.keptOut)
	t.Run("control", p.control)
}

// findTurns looks whether this machine carries the long form's load through both proxies
// at the same time, or else through one after the other, while nothing happens.
func (p *proxied) findTurns(t *testing.T) {
	both, oneByOne := [][]front{{nginx, haproxy}}, [][]front{{nginx}, {haproxy}}
	p.rate, p.turns = 200, both
	if !long() {
		return
	}
	p.rate = longRate
	for _, p.turns = range [][][]front{both, oneByOne} {
		carried := true
		for _, turn := range p.turns {
			loads := p.begin(t, turn)
			time.Sleep(5 * time.Second) // of load, and nothing else
			for i, load := range loads {
				got := load.finish(t)
				t.Logf("at rest, %d a second through %d at once: %s: %v %v", p.rate, len(turn), turn[i].kind, got, got.Faults)
				carried = carried && got.carried(p.rate)
			}
		}
		if carried {
			return
		}
	}
	t.Fatalf("this machine does not carry %d requests a second through a proxy while nothing happens: the long form is about no fewer", p.rate)
}

// releases takes a service behind proxies from its first version and back to it.
func (p *proxied) releases(t *testing.T, turn []front) {
	restarts := 1
	if long() {
		restarts = 10
	}
	const loaded = `systemctl show -P ExecMainPID nginx; journalctl -q -o cat -u nginx | grep -c Reloaded; true`
	before := p.sh(t, nginxHost, loaded)
	for _, step := range []struct {
		what        string
		times, code int
		args        []string
	}{
		{"a deploy", 1, 0, []string{"deploy", "--version", second}},
		{"a version that is never healthy", 1, 3, []string{"deploy", "--version", "1.2.0"}},
		{"restarts", restarts, 0, []string{"restart"}},
		{"a rollback", 1, 0, []string{"rollback"}},
	} {
		p.below(t, turn, step.what, func() {
			for range step.times {
				if out, code := p.run(t, p.to(step.args...)...); code != step.code {
					t.Fatalf("%s: exit code %d\n%s", step.what, code, out)
				}
				p.expect(t, nginxHost, `find /run/kinectl-proxy -type f; systemctl list-units --no-legend 'kinectl-proxy-*'`, "")
			}
		})
	}
	p.expect(t, nginxHost, loaded, before)
}

// begin lets clients ask proxies, by GET and POST, over kept and new connections.
func (p *proxied) begin(t *testing.T, turn []front) (loads []*clients) {
	t.Helper()
	for _, f := range turn {
		loads = append(loads, p.askOften(t, p.rate, p.rate/10, "http://"+f.address+":80/", "x=1"))
	}
	p.bothAnswer(t)
	return loads
}

// below does something while clients ask proxies. No request may fail. A machine that
// is busy with other tests may delay some, but the long form is about all of them.
func (p *proxied) below(t *testing.T, turn []front, what string, do func()) {
	t.Helper()
	loads := p.begin(t, turn)
	do()
	share := 0.5
	if long() {
		share = 0.95
	}
	for i, load := range loads {
		got := load.finish(t)
		t.Logf("%s, below %d requests a second through %s: %v", what, p.rate, turn[i].kind, got)
		if got.Failed != 0 || !got.kept(p.rate, share) {
			t.Errorf("%s: %d of %d failed, or there were too few: %v", turn[i].kind, got.Failed, got.Sent, got.Faults)
			t.Log(p.sh(t, nginxHost, `grep -v '\[notice\]' /var/log/nginx/error.log | tail -n 20`))
			t.Log(p.sh(t, haproxyHost, `journalctl -q -o cat -u haproxy | grep -v ' 200 ' | tail -n 20`))
		}
	}
}

// killed kills the deployer and its Ansible. Nginx has the host back when its time is over.
func (p *proxied) killed(t *testing.T, turn []front) {
	p.below(t, turn, "a deployer's death", func() {
		p.abandoned(t)
		p.await(t, nginxHost, `[ ! -e /run/kinectl-proxy/abrupt/h1 ]`)
		p.bothAnswer(t)
	})
	p.must(t, p.to("deploy", "--version", first)...)
}

// control restarts the service as a person would, and requests are lost.
func (p *proxied) control(t *testing.T) {
	for _, f := range []front{nginx, haproxy} {
		load := p.ask(t, "http://"+f.address+":80/", "x=1")
		p.bothAnswer(t)
		for _, host := range []string{"h1", "h2", "h1", "h2"} {
			p.sh(t, host, `systemctl restart abrupt`)
			p.await(t, host, `curl -sf -o /dev/null http://127.0.0.1:8080/`)
		}
		if got := load.finish(t); got.Failed == 0 {
			t.Errorf("%s: none of %d failed", f.kind, got.Sent)
		} else {
			t.Logf("%s: restarted below the clients, %d of %d failed: %v", f.kind, got.Failed, got.Sent, got.Faults)
		}
	}
}
