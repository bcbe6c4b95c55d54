package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The proxies of the test, each by the name that clients ask for.
const (
	nginxHost, nginxAddress     = "h3", "198.51.100.13"
	haproxyHost, haproxyAddress = "h4", "198.51.100.14"
)

// proxied is a lab of its own: a service that loses what it is doing when it is
// stopped, on h1 and h2, and in front of it Debian's nginx on h3 and HAProxy on h4.
type proxied struct {
	*shell
	loads []*clients
}

// TestProxy deploys, restarts and goes back below clients of both proxies, with a
// version that is rolled back, and with a deployer that is killed. No request
// fails. The control is a restart that no proxy knows of.
func TestProxy(t *testing.T) {
	p := newProxied(t)
	p.begin(t)
	before := p.sh(t, nginxHost, `systemctl show -P ExecMainPID nginx; journalctl -q -o cat -u nginx | grep -c Reloaded; true`)
	for _, step := range []struct {
		what string
		code int
		args []string
	}{
		{"deploy", 0, []string{"deploy", "--version", "1.1.0"}},
		{"a version that fails", 3, []string{"deploy", "--version", "1.2.0"}},
		{"restart", 0, []string{"restart"}},
		{"rollback", 0, []string{"rollback"}},
	} {
		start := time.Now()
		if out, code := p.run(t, p.to(step.args...)...); code != step.code {
			t.Fatalf("%s: exit code %d\n%s", step.what, code, out)
		}
		t.Logf("%-25s %4.1f s", step.what, time.Since(start).Seconds())
		p.expect(t, nginxHost, `find /run/kinectl-proxy -type f; systemctl list-units --no-legend 'kinectl-proxy-*'`, "")
	}
	p.end(t, "deploys, restarts and a rollback")
	p.expect(t, nginxHost, `systemctl show -P ExecMainPID nginx; journalctl -q -o cat -u nginx | grep -c Reloaded; true`, before)

	t.Run("the deployer is killed", p.killed)
	t.Run("control", p.control)
}

func newProxied(t *testing.T) *proxied {
	t.Helper()
	p := &proxied{shell: ownLab(t, "proxy", "--hosts", "4", "--group", "everyone")}
	p.inventory(t)
	p.publishFiles(t, append(p.debs(t, nginxHost, "nginx"), p.debs(t, haproxyHost, "haproxy")...)...)
	for _, b := range []struct{ version, fault string }{{"1.0.0", ""}, {"1.1.0", ""}, {"1.2.0", "broken"}} {
		p.offerAbrupt(t, b.version, b.fault)
	}
	p.role(t)
	t.Logf("%s", p.must(t, p.to("deploy", "--version", "1.0.0")...))
	return p
}

// inventory puts two hosts behind the other two.
func (p *proxied) inventory(t *testing.T) {
	t.Helper()
	inventory := filepath.Join(p.infra, "inventories", "lab")
	write(t, filepath.Join(inventory, "groups.yml"), `applications: {hosts: {h1: , h2: }}
proxy:
  hosts:
    h3: {proxy: nginx}
    h4: {proxy: haproxy}
`)
	write(t, filepath.Join(inventory, "group_vars", "applications.yml"), "kinectl_out_for: 45 # seconds: a dead deployer is waited for\n")
}

// role makes the proxies, by the role of the infra repository.
func (p *proxied) role(t *testing.T) {
	t.Helper()
	play := filepath.Join(p.dir, "proxies.yml")
	write(t, play, "- hosts: proxy\n  become: true\n  gather_facts: false\n  roles: [proxy]\n")
	roles, err := filepath.Abs("../internal/scaffold/infra/roles")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"changed=", "changed=0"} {
		cmd := exec.Command("ansible-playbook", "-i", filepath.Join(p.infra, "inventories", "lab"), play)
		cmd.Env = append(os.Environ(), "ANSIBLE_ROLES_PATH="+roles, "ANSIBLE_NOCOLOR=1", "ANSIBLE_PIPELINING=1")
		out, err := cmd.CombinedOutput()
		if err != nil || strings.Count(string(out), want) != 2 {
			t.Fatalf("the role proxy: %v, want %s twice\n%s", err, want, out)
		}
	}
}

// offerAbrupt packages a version of the service.
func (p *proxied) offerAbrupt(t *testing.T, version, fault string) {
	t.Helper()
	timeout := "60s"
	if fault != "" {
		timeout = "5s"
	}
	write(t, p.spec("abrupt"), fmt.Sprintf(`service:
  name: abrupt
  group: applications
  description: Dies in the middle of its answers
  deploy:
    drain: 8s # a proxy that is asked late on a busy machine has seen it all the same
    probe: {timeout: %s, settle: 0s}
  limits: {mem: 64M}
  environments: HTTP_ADDRESS=:8080
  routes:
    - {host: films.example.com}
    - {host: films.example.com, path: /deep, port: 8080}
    - {host: "*.films.example.com"}
    - {host: %s}
    - {host: %s}
`, timeout, nginxAddress, haproxyAddress))
	binary := filepath.Join(t.TempDir(), "abrupt")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := command(ctx, "go", "build", "-ldflags", "-s -w -X main.version="+version+" -X main.fault="+fault, "-o", binary, "./testdata/abrupt"); err != nil {
		t.Fatal(err)
	}
	p.offers(t, p.spec("abrupt"), "abrupt", version, "--binary", binary)
}

func (p *proxied) to(argv ...string) []string {
	return append(argv, "-f", p.spec("abrupt"), "--infra", p.infra, "--env", "lab")
}

// begin lets clients ask both proxies, by GET and POST, kept and new connections.
func (p *proxied) begin(t *testing.T) {
	t.Helper()
	for _, address := range []string{nginxAddress, haproxyAddress} {
		p.loads = append(p.loads, p.ask(t, "http://"+address+":80/", "x=1"))
	}
	p.bothAnswer(t)
}

// end ends the clients: none may have failed.
func (p *proxied) end(t *testing.T, through string) {
	t.Helper()
	for i, load := range p.loads {
		got := load.finish(t)
		proxy := []string{"nginx", "HAProxy"}[i]
		t.Logf("%s: %d requests %v through %s, %d failed, the longest took %.0f ms", proxy, got.Sent, got.Kinds, through, got.Failed, got.Longest)
		if got.Failed != 0 || got.Sent < 1000 {
			t.Errorf("%s: %d of %d failed: %v", proxy, got.Failed, got.Sent, got.Faults)
			t.Log(p.sh(t, nginxHost, `grep -v '\[notice\]' /var/log/nginx/error.log | tail -n 20`))
			t.Log(p.sh(t, haproxyHost, `journalctl -q -o cat -u haproxy | grep -v ' 200 ' | tail -n 20`))
		}
	}
	p.loads = nil
}

// bothAnswer waits until each proxy sends to both hosts, by every name.
func (p *proxied) bothAnswer(t *testing.T) {
	t.Helper()
	for _, host := range []string{nginxHost, haproxyHost} {
		for _, url := range []string{"films.example.com/", "films.example.com/deep/x", "a.films.example.com/"} {
			name, path, _ := strings.Cut(url, "/")
			p.await(t, host, `[ "$(for i in 1 2 3 4 5 6 7 8 9 10 11 12; do curl -s -H 'Host: `+name+`' http://127.0.0.1/`+path+` | cut -d ' ' -f 1; done | sort -u | tr '\n' ' ')" = "h1 h2 " ]`)
		}
		p.expect(t, host, `curl -s -o /dev/null -w '%{http_code}' -H 'Host: other.example.com' http://127.0.0.1/`, "404")
	}
}

// killed kills the deployer and its Ansible when nginx has taken h1 out. The host
// finishes alone, and nginx has it back when its time is over.
func (p *proxied) killed(t *testing.T) {
	p.begin(t)
	cmd := exec.CommandContext(t.Context(), p.kinectl, p.to("deploy", "--version", "1.1.0")...)
	cmd.Env = append(os.Environ(), "KINECTL_LEASE=10s")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.await(t, nginxHost, `[ -e /run/kinectl-proxy/abrupt/h1 ]`)
	p.await(t, "h1", `[ -e /run/abrupt/drain ]`)
	killTree(t, cmd.Process.Pid)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	p.expect(t, nginxHost, `ls /run/kinectl-proxy/abrupt`, "h1")
	p.await(t, "h1", `[ ! -e /run/abrupt/drain ] && curl -s http://127.0.0.1:8080/ | grep -q '^h1 1.1.0 '`)
	p.expect(t, "h2", `curl -s http://127.0.0.1:8080/ | cut -d ' ' -f 1,2`, "h2 1.0.0")
	p.await(t, nginxHost, `[ ! -e /run/kinectl-proxy/abrupt/h1 ]`)
	p.bothAnswer(t)
	p.end(t, "a deployer's death")
}

// control restarts the service as a person would, and requests are lost.
func (p *proxied) control(t *testing.T) {
	for _, address := range []string{nginxAddress, haproxyAddress} {
		load := p.ask(t, "http://"+address+":80/", "x=1")
		p.bothAnswer(t)
		for _, host := range []string{"h1", "h2", "h1", "h2"} {
			p.sh(t, host, `systemctl restart abrupt`)
			p.await(t, host, `curl -sf -o /dev/null http://127.0.0.1:8080/`)
		}
		if got := load.finish(t); got.Failed == 0 {
			t.Errorf("%s: none of %d failed", address, got.Sent)
		} else {
			t.Logf("%s: restarted below the clients, %d of %d failed: %v", address, got.Failed, got.Sent, got.Faults)
		}
	}
}
