package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// bareLab is a lab that begins as bare hosts that only root can log in to, and the
// infra repository of `kinectl init --infra` for them.
type bareLab struct{ *shell }

// TestInfra takes bare hosts to production with what `kinectl init --infra`
// writes, twice, and adds one to a group. The parts build upon each other.
func TestInfra(t *testing.T) {
	s := newSite(t)
	for _, part := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"nobody is locked out", s.refuses},
		{"bare hosts", s.bare},
		{"again", s.again},
		{"what the hosts are then", s.base},
		{"an admin leaves", s.leaves},
		{"the journal is bounded", s.journal},
		{"the firewall", s.firewall},
		{"a package of the system is never replaced", s.pins},
		{"held packages are left alone", s.upgrades},
		{"behind a proxy", s.proxied},
		{"a host is added", s.added},
		{"what was changed is used though a task fails", s.fails},
	} {
		if t.Failed() || !t.Run(part.name, part.run) {
			t.FailNow()
		}
	}
}

func newSite(t *testing.T) *bareLab {
	t.Helper()
	s := &bareLab{ownLab(t, "infra", "--hosts", "4", "--group", "everyone")}
	s.infra = filepath.Join(s.dir, "infra")
	var files []string
	for _, name := range []string{"prometheus-node-exporter", "unattended-upgrades", "systemd-timesyncd", "prometheus", "haproxy"} {
		files = append(files, s.debs(t, "h1", name)...)
	}
	s.publishFiles(t, files...)
	// The lab gives its hosts the repository's files; bare hosts have none of it.
	for _, h := range []string{"h1", "h2", "h3", "h4"} {
		s.sh(t, h, `rm /etc/apt/sources.list.d/kinectl.sources /etc/apt/preferences.d/kinectl /etc/apt/keyrings/kinectl.asc /etc/systemd/journald.conf.d/lab.conf
			mkdir -p -m 0700 /root/.ssh && cp /etc/ssh/lab_authorized_keys /root/.ssh/authorized_keys; userdel -r deploy 2>/dev/null; rm -f /etc/sudoers.d/deploy`)
	}

	s.must(t, "init", "--infra", s.infra)
	key, err := os.ReadFile(filepath.Join(s.repo, "key.asc"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(s.infra, "repository.asc"), string(key))
	s.members(t, "h2")
	return s
}

// members writes the inventory of the environment staging: h1 for monitoring, h4 as
// the proxy, and the hosts of the group applications.
func (s *bareLab) members(t *testing.T, hosts ...string) {
	t.Helper()
	text := "all:\n  children:\n    proxy: {hosts: {h4: {ansible_host: 198.51.100.14, proxy: haproxy}}}\n    monitoring: {hosts: {h1: {ansible_host: 198.51.100.11}}}\n    applications:\n      hosts:\n"
	for _, h := range hosts {
		text += fmt.Sprintf("        %s: {ansible_host: 198.51.100.1%s}\n", h, strings.TrimPrefix(h, "h"))
	}
	write(t, filepath.Join(s.infra, "inventories", "staging", "hosts.yml"), text)
}

func (s *bareLab) everybody() string {
	return filepath.Join(s.infra, "inventories", "staging", "group_vars", "all.yml")
}

// variables writes what a team puts into group_vars/all.yml, and how the lab is reached.
func (s *bareLab) variables(t *testing.T, admins, gone string) {
	t.Helper()
	dir := s.lab.Dir()
	write(t, s.everybody(), fmt.Sprintf(`kinectl_repository: %s
kinectl_repository_url: http://198.51.100.1:8080
kinectl_repository_key: repository.asc
admins: %s
admins_gone: %s
log_level: info
greeting: hello
firewall_open: [{port: 8080, from: [198.51.100.12]}]
firewall_undo: 60
journal_max: 16M
ansible_user: alice
ansible_become: true
ansible_ssh_private_key_file: %[4]s/ssh/id_ed25519
ansible_ssh_common_args: -F %[4]s/ssh/config
ansible_control_path_dir: %[4]s/ssh/cp
`, s.repo, admins, gone, dir))
}

func (s *bareLab) apply(t *testing.T, code int, more ...string) string {
	t.Helper()
	start := time.Now()
	out, got := s.run(t, append([]string{"apply", "--infra", s.infra, "--env", "staging"}, more...)...)
	if got != code {
		t.Fatalf("apply %v: exit code %d, want %d\n%s\n%s", more, got, code, out, s.ansibleLog(out))
	}
	t.Logf("apply %v: %.1f s\n%s", more, time.Since(start).Seconds(), out)
	return out
}

// ansibleLog is the end of the log that the output names.
func (s *bareLab) ansibleLog(out string) string {
	m := regexp.MustCompile(`(\S+-apply-\S+\.log)`).FindString(out)
	body, _ := os.ReadFile(strings.TrimRight(m, ":,"))
	return string(body[max(0, len(body)-4000):])
}

// refuses begins nothing when nobody could log in afterwards.
func (s *bareLab) refuses(t *testing.T) {
	for _, admins := range []string{"[]", "[{name: alice}]", "[{name: alice, ssh_keys: []}]"} {
		s.variables(t, admins, "[]")
		contains(t, s.apply(t, 1), "lock everybody out")
	}
	s.expect(t, "h1", `ls /etc/ssh/sshd_config.d; ls /etc/nftables.conf.kinectl 2>/dev/null; id alice 2>&1 | grep -c 'no such user'`, "lab.conf\n1")
}

func (s *bareLab) bare(t *testing.T) {
	s.variables(t, s.admins(t, "alice", "bob"), "[nobody-yet]")
	s.apply(t, 0)
}

// admins is the value of the variable: each has the lab's key.
func (s *bareLab) admins(t *testing.T, names ...string) string {
	t.Helper()
	public, err := os.ReadFile(filepath.Join(s.lab.Dir(), "ssh", "id_ed25519.pub"))
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, name := range names {
		list = append(list, fmt.Sprintf("{name: %s, ssh_keys: [%q]}", name, strings.TrimSpace(string(public))))
	}
	return "[" + strings.Join(list, ", ") + "]"
}

// again changes nothing.
func (s *bareLab) again(t *testing.T) {
	contains(t, s.apply(t, 0), "h1  0 changed", "h2  0 changed", "h4  0 changed", "0 changed by roles")
}

func (s *bareLab) base(t *testing.T) {
	for _, h := range []string{"h1", "h2", "h4"} {
		s.expect(t, h, `sshd -T -C user=root,host=x,addr=198.51.100.1 | grep -E '^(permitrootlogin|passwordauthentication|exposeauthinfo) ' | sort`,
			"exposeauthinfo yes\npasswordauthentication no\npermitrootlogin no")
		s.expect(t, h, `systemctl is-active prometheus-node-exporter nftables unattended-upgrades; systemctl is-enabled systemd-timesyncd`, "active\nactive\nactive\nenabled")
		s.expect(t, h, `apt-config dump Unattended-Upgrade::Origins-Pattern | grep -c '::Origins-Pattern:: '; apt-config dump | grep -c 'Label=Debian,\|label=Debian"\|label=Debian,'; true`, "2\n0")
	}
	s.expect(t, "h1", `promtool check config /etc/prometheus/prometheus.yml >/dev/null && ls /etc/prometheus/nodes; systemctl is-active prometheus`, "h1.json\nh2.json\nh4.json\nactive")
	// Prometheus looks for hosts and asks them every 15 s.
	s.sh(t, "h1", `for i in $(seq 50); do [ "$(curl -s 'http://127.0.0.1:9090/api/v1/query?query=up' | grep -o '"1"\]' | wc -l)" = 3 ] && exit 0; sleep 1; done; exit 1`)
	// Root and passwords have no way in; the control is alice.
	if out, err := s.ssh(t, "alice", "h2", "sudo -n id -u"); err != nil || strings.TrimSpace(out) != "0" {
		t.Errorf("alice: %v %s", err, out)
	}
	if out, err := s.ssh(t, "root", "h2", "true"); err == nil || !strings.Contains(out, "Permission denied") {
		t.Errorf("root: %v %s", err, out)
	}
}

func (s *bareLab) ssh(t *testing.T, user, host, command string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "ssh", "-F", s.lab.SSHConfig(), "-o", "BatchMode=yes", "-l", user, host, command).CombinedOutput()
	return string(out), err
}

// journal writes three times what the journal may keep: random text, so that it cannot
// be made smaller. It counts archived files alone against the limit.
func (s *bareLab) journal(t *testing.T) {
	s.sh(t, "h2", `journalctl -q -o cat -t systemd-journald | grep -q 'max 16.0M'`)
	s.expect(t, "h2", `systemd-analyze cat-config systemd/journald.conf | grep '^MaxRetentionSec='`, "MaxRetentionSec=1month")
	s.sh(t, "h2", `head -c 48M /dev/urandom | base64 -w 30000 | systemd-cat -t fill; journalctl --sync
		journalctl -q -o cat -t fill | head -c 1000000 | wc -c | grep -qx 1000000`)
	s.sh(t, "h2", `size=$(du -sm /var/log/journal | cut -f 1); echo "$size MB"; [ "$size" -le 32 ]`)
}

// firewall: metrics are for the monitoring host and the proxy, a port for whom any
// group of the host opens it, and rules that cut the administrator off are undone by the host itself.
func (s *bareLab) firewall(t *testing.T) {
	s.expect(t, "h1", `curl -s -m 3 -o /dev/null -w '%{http_code}' http://198.51.100.12:9100/metrics`, "200")
	s.expect(t, "h4", `curl -s -m 3 -o /dev/null -w '%{http_code}' http://198.51.100.12:9100/metrics`, "200")
	s.expect(t, "h2", `curl -s -m 3 -o /dev/null -w '%{http_code}' http://198.51.100.11:9100/metrics || true`, "000")
	s.expect(t, "h2", `curl -s -m 3 -o /dev/null -w '%{http_code}' http://198.51.100.14/`, "404")
	s.expect(t, "h2", `nft list table inet kinectl | grep -c 'dport 8080 accept'`, "2") // of all hosts, of applications
	s.expect(t, "h4", `nft list table inet kinectl | grep -cE 'dport (80|443|8080) accept'`, "3")
	s.expect(t, "h2", `curl -s -m 3 -o /dev/null -w '%{http_code}' http://198.51.100.11:9090/metrics || true`, "000")

	before, err := os.ReadFile(s.everybody())
	if err != nil {
		t.Fatal(err)
	}
	rules := s.sh(t, "h2", `cat /etc/nftables.conf`)
	write(t, s.everybody(), string(before)+"firewall_ssh: [203.0.113.1]\n")
	s.apply(t, 1, "--limit", "h2")
	s.sh(t, "h2", `for i in $(seq 50); do nft list ruleset | grep -q 203.0.113.1 || exit 0; sleep 1; done; exit 1`)
	if out, err := s.ssh(t, "alice", "h2", "sudo -n id -u"); err != nil || strings.TrimSpace(out) != "0" {
		t.Errorf("alice after the undo: %v %s", err, out)
	}
	s.expect(t, "h2", `cat /etc/nftables.conf; nft list table inet kinectl | grep -c 'dport 22 accept'`, rules+"\n1")
	write(t, s.everybody(), string(before))
}

// pins publishes a newer openssh-server: no way of upgrading takes it.
func (s *bareLab) pins(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "DEBIAN", "control"), "Package: openssh-server\nVersion: 1:99.0-1\nArchitecture: all\nMaintainer: Nobody <nobody@example.com>\nDescription: not ours to publish\n")
	deb := filepath.Join(t.TempDir(), "openssh-server_99_all.deb")
	if err := command(t.Context(), "dpkg-deb", "--root-owner-group", "--build", dir, deb); err != nil {
		t.Fatal(err)
	}
	s.publishFiles(t, deb)
	const have = `dpkg-query -W -f '${Version}' openssh-server`
	before := s.sh(t, "h2", have)
	for _, try := range []string{"upgrade", "dist-upgrade", "install openssh-server"} {
		s.sh(t, "h2", `apt-get -q update >/dev/null 2>&1 && DEBIAN_FRONTEND=noninteractive apt-get -qy -s `+try+` 2>&1 | grep -c 'Inst openssh-server' | grep -qx 0`)
		s.sh(t, "h2", `DEBIAN_FRONTEND=noninteractive apt-get -qy `+try+` 2>&1`)
		s.expect(t, "h2", have, before)
	}
	contains(t, s.sh(t, "h2", `apt-cache policy openssh-server`), "1:99.0-1 1") // it is there, at priority 1
	// The control: without the pin apt would take it.
	s.expect(t, "h2", `mv /etc/apt/preferences.d/kinectl /root/pin; apt-get -qy -s dist-upgrade 2>&1 | grep -c 'Inst openssh-server'; mv /root/pin /etc/apt/preferences.d/kinectl`, "1")
}

// proxied deploys a service with a route: HAProxy, on a host with the base role, gets
// an answer from the service's /ready through the firewall of another such host.
func (s *bareLab) proxied(t *testing.T) {
	spec, err := os.ReadFile(serviceSpec("hello"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, s.spec("hello"), strings.TrimRight(string(spec), "\n")+"\n  routes:\n    - {host: hello.example.com}\n")
	for _, version := range []string{"1.0.0", "1.1.0"} {
		binary := filepath.Join(t.TempDir(), "hello")
		if err := command(t.Context(), "go", "build", "-ldflags", "-s -w -X main.version="+version, "-o", binary, "../services/hello"); err != nil {
			t.Fatal(err)
		}
		s.offers(t, s.spec("hello"), "hello", version, "--binary", binary)
		s.must(t, "deploy", "-f", s.spec("hello"), "--version", version, "--infra", s.infra, "--env", "staging")
	}
	s.expect(t, "h4", `curl -s -m 5 -o /dev/null -w '%{http_code}' -H 'Host: hello.example.com' http://127.0.0.1/`, "200")
	s.answers(t, "h2")
}

// answers waits until HAProxy's check of a host has had its answer.
func (s *bareLab) answers(t *testing.T, host string) {
	t.Helper()
	s.sh(t, "h4", `for i in $(seq 40); do
		python3 -c 'import socket; s = socket.socket(socket.AF_UNIX); s.connect("/run/haproxy/admin.sock"); s.send(b"show stat\n"); print(s.makefile().read())' >/tmp/stat
		grep -q '^kinectl-hello-8080,`+host+`,.*L7OK' /tmp/stat && exit 0; sleep 1
	done; cat /tmp/stat; exit 1`)
}

// added makes a bare host a member of the group by one command.
func (s *bareLab) added(t *testing.T) {
	s.members(t, "h2", "h3")
	contains(t, s.apply(t, 0, "--limit", "h3"), "1 service brought")
	s.expect(t, "h3", `dpkg-query -W -f '${Version}' hello; echo; systemctl is-active hello`, "1.1.0\nactive")
	s.expect(t, "h1", `ls /etc/prometheus/nodes`, "h1.json\nh2.json\nh3.json\nh4.json")
	s.answers(t, "h3")
	contains(t, s.apply(t, 0, "--limit", "h3"), "h3  0 changed", "0 services brought")
}
