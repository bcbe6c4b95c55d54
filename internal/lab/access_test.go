package lab

import (
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func testAccess(t *testing.T, l *Lab) {
	ssh := func(host string, argv ...string) (string, int) {
		t.Helper()
		cmd, err := l.SSH(t.Context(), host, argv...)
		if err != nil {
			t.Fatal(err)
		}
		return run(t, cmd)
	}
	if out, code := ssh("h2", "hostname; exit 5"); out != "h2" || code != 5 {
		t.Errorf("ssh: %q, %d", out, code)
	}
	if _, err := l.SSH(t.Context(), "-ldeploy", "true"); err == nil {
		t.Error("took an option for a host")
	}
	out, code := run(t, exec.CommandContext(t.Context(), "ssh", "-F", l.SSHConfig(), "deploy@h1", "sudo", "-n", "id", "-un"))
	if out != "root" || code != 0 {
		t.Errorf("deploy: %q, %d", out, code)
	}
	// The keys that ssh is told are the hosts' own: with another's it refuses.
	known := filepath.Join(t.TempDir(), "known")
	body, err := os.ReadFile(filepath.Join(l.Dir(), "ssh", "known_hosts"))
	if err != nil {
		t.Fatal(err)
	}
	swapped := strings.NewReplacer("h1,198.51.100.11", "h2,198.51.100.12", "h2,198.51.100.12", "h1,198.51.100.11").Replace(string(body))
	if err := os.WriteFile(known, []byte(swapped), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, code := run(t, exec.CommandContext(t.Context(), "ssh", "-F", l.SSHConfig(), "-oUserKnownHostsFile="+known, "h1", "true")); code != 255 {
		t.Errorf("a wrong host key was accepted: %q, %d", out, code)
	}
	if out, code := run(t, l.Command(t.Context(), "bash", "-c", "exec 3<>/dev/tcp/198.51.100.12/22; read -r x <&3; echo $x")); code != 0 || !strings.HasPrefix(out, "SSH-2.0") {
		t.Errorf("a command in the lab's network: %q, %d", out, code)
	}
	// Outside the lab these addresses are nobody's; some gateways accept
	// connections to them all the same, but none greets as the host does.
	if conn, err := net.DialTimeout("tcp", "198.51.100.12:22", 300*time.Millisecond); err == nil {
		defer conn.Close()
		_ = conn.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
		if greeting, _ := io.ReadAll(io.LimitReader(conn, 4)); string(greeting) == "SSH-" {
			t.Error("the lab can be reached from the machine's own network")
		}
	}
}

func testAnsible(t *testing.T, l *Lab) {
	if _, err := exec.LookPath("ansible"); err != nil {
		t.Skip("skipped: ansible is not installed")
	}
	ansible := func(args ...string) (string, int) {
		cmd := exec.CommandContext(t.Context(), "ansible", append([]string{"-i", filepath.Join(l.Infra(), "inventories", "lab"), "--one-line"}, args...)...)
		cmd.Env = append(os.Environ(), "ANSIBLE_NOCOLOR=1", "ANSIBLE_LOCAL_TEMP="+t.TempDir())
		return run(t, cmd)
	}
	if out, code := ansible("cdn", "-m", "command", "-a", "echo {{ greeting }} {{ inventory_hostname }}"); code != 0 ||
		!strings.Contains(out, "hello h1") || !strings.Contains(out, "hello h2") {
		t.Errorf("%d: %s", code, out)
	}
	if out, code := ansible("h2", "-e", "ansible_user=deploy", "-b", "-m", "command", "-a", "id -un"); code != 0 || !strings.Contains(out, "root") {
		t.Errorf("become: %d: %s", code, out)
	}
}

// testTwoLabs starts one more with the same addresses, and a small disk.
func testTwoLabs(t *testing.T, l *Lab) {
	other := startLab(t, Options{Name: "test-lab-disk", Hosts: 1, DiskMiB: 64})
	output(t, other, "h1", "sh", "-c", "echo other >/srv/which")
	output(t, l, "h1", "sh", "-c", "echo first >/srv/which")
	for lab, want := range map[*Lab]string{l: "first", other: "other"} {
		cmd, err := lab.SSH(t.Context(), "h1", "cat", "/srv/which")
		if err != nil {
			t.Fatal(err)
		}
		if out, code := run(t, cmd); out != want || code != 0 {
			t.Errorf("h1 of %s is %q, %d", lab.Name(), out, code)
		}
	}
	if out, err := other.Output(t.Context(), "h1", "sh", "-c", "head -c 80M /dev/zero >/srv/big"); err == nil || !strings.Contains(err.Error(), "No space left") {
		t.Errorf("a disk of 64 MiB took 80: %s %v", out, err)
	}
	output(t, other, "h1", "sh", "-c", "rm /srv/big; test \"$(cat /srv/which)\" = other")
}
