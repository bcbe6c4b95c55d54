package e2e

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// leaves takes an admin away who is logged in: nobody comes in with that name and its
// key any more. The other one, with the same key, is the control.
func (s *bareLab) leaves(t *testing.T) {
	session := exec.CommandContext(t.Context(), "ssh", "-F", s.lab.SSHConfig(), "-o", "BatchMode=yes", "-l", "bob", "h2", "sudo -n id -u; exec sleep 300")
	said, err := session.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := session.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = session.Process.Kill(); _ = session.Wait() }()
	if line, err := bufio.NewReader(said).ReadString('\n'); line != "0\n" {
		t.Fatalf("bob, who is not gone: %v %q", err, line)
	}
	s.variables(t, s.admins(t, "alice"), "[bob]")
	s.apply(t, 0, "--limit", "h2")
	s.expect(t, "h2", `getent passwd bob | wc -l; grep -c bob /etc/sudoers.d/kinectl-admins; ls -d /home/bob`, "0\n0\n/home/bob")
	if out, err := s.ssh(t, "bob", "h2", "true"); err == nil || !strings.Contains(out, "Permission denied") {
		t.Errorf("bob: %v %s", err, out)
	}
	if out, err := s.ssh(t, "alice", "h2", "true"); err != nil {
		t.Errorf("alice: %v %s", err, out)
	}
}

// fails changes the arguments of Prometheus where it cannot be enabled: the next run has
// nothing to tell it any more, so this one must.
func (s *bareLab) fails(t *testing.T) {
	before, err := os.ReadFile(s.everybody())
	if err != nil {
		t.Fatal(err)
	}
	const link = "/etc/systemd/system/multi-user.target.wants/prometheus.service"
	s.sh(t, "h1", `systemctl disable -q prometheus && mkdir -p `+link)
	write(t, s.everybody(), string(before)+"prometheus_keep: 7d\n")
	contains(t, s.apply(t, 1, "--limit", "h1"), "Start it, now and at every boot")
	s.expect(t, "h1", `tr '\0' '\n' </proc/$(systemctl show -P MainPID prometheus)/cmdline | grep retention`, "--storage.tsdb.retention.time=7d")
}
