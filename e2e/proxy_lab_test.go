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

// newProxied starts the lab of TestProxy, with the proxies made and the first version healthy behind them.
func newProxied(t *testing.T) *proxied {
	t.Helper()
	p := &proxied{shell: ownLab(t, "proxy", "--hosts", "4", "--group", "everyone")}
	p.inventory(t, "h1", "h2")
	p.publishFiles(t, append(p.debs(t, nginxHost, "nginx"), p.debs(t, haproxyHost, "haproxy")...)...)
	for _, b := range []struct{ version, fault string }{{"1.0.0", ""}, {"1.1.0", ""}, {"1.2.0", "broken"}} {
		p.offerAbrupt(t, b.version, b.fault)
	}
	p.role(t)
	t.Logf("%s", p.must(t, p.to("deploy", "--version", "1.0.0")...))
	return p
}

// inventory puts hosts behind the proxies.
func (p *proxied) inventory(t *testing.T, behind ...string) {
	t.Helper()
	inventory := filepath.Join(p.infra, "inventories", "lab")
	write(t, filepath.Join(inventory, "groups.yml"), "applications: {hosts: {"+strings.Join(behind, ": , ")+`: }}
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
`, timeout, nginx.address, haproxy.address))
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
