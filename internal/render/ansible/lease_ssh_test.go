package ansible

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kinectl/kinectl/internal/needs"
)

// TestEverywhereSSH: OpenSSH's own master runs what it is asked to, and ends.
func TestEverywhereSSH(t *testing.T) {
	needs.Program(t, "python3", "no master was asked")
	needs.Program(t, "ssh-keygen", "no real master was asked")
	ssh := needs.Program(t, "ssh", "no real master was asked")
	const sshd = "/usr/sbin/sshd" // it asks to be called by its whole path
	needs.Program(t, sshd, "no real master was asked")
	if os.Getuid() == 0 {
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil { // where sshd locks its helpers in
			t.Fatal(err)
		}
	}
	dir, sockets := t.TempDir(), shortFolder(t)
	file := func(name string) string { return filepath.Join(dir, name) }
	for _, key := range []string{"host", "user"} {
		if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file(key)).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	hostKey, err := os.ReadFile(file("host.pub"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, file("known_hosts"), "host "+string(hostKey), 0o600)
	write(t, file("sshd_config"), "HostKey "+file("host")+"\nAuthorizedKeysFile "+file("user.pub")+
		"\nPidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin prohibit-password\n", 0o600)
	// No port: sshd speaks over the pipe that ssh gives it.
	write(t, file("ssh_config"), "ProxyCommand "+sshd+" -i -f "+file("sshd_config")+"\nIdentityFile "+file("user")+
		"\nIdentitiesOnly yes\nUserKnownHostsFile "+file("known_hosts")+"\nBatchMode yes\n", 0o600)

	socket := filepath.Join(sockets, "host")
	master := exec.CommandContext(t.Context(), ssh, "-F", file("ssh_config"), "-M", "-N", "-S", socket, "host")
	var said strings.Builder
	master.Stderr = &said
	if err := master.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- master.Wait() }()
	for listens(socket) != nil {
		select {
		case err := <-ended:
			t.Fatalf("ssh: %v: %s", err, said.String())
		case <-time.After(10 * time.Millisecond):
		}
	}
	// Its output is nowhere, and what it did is done when it has been waited for.
	askEverywhere(t, sockets, `read -r none; echo "{id} $none" | tee `+file("ran"), 30, 256, 1)
	if got, err := os.ReadFile(file("ran")); err != nil || string(got) != "a1 \n" {
		t.Errorf("the command has written %q: %v", got, err)
	}
	askEverywhere(t, sockets, "", 30, 256, 1)
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		t.Error("the master goes on")
	}
}

func listens(socket string) error {
	conn, err := net.Dial("unix", socket)
	if err == nil {
		conn.Close()
	}
	return err
}
