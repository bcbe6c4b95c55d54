package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What is in a variable stays there: it is neither executed nor written
// anywhere but into the environment file and the host's kept releases.
func TestSecrets(t *testing.T) {
	f := road
	f.deploy(t, 0, first)
	const planted = "correct-horse-battery-9f31"
	f.configure(t, "log_level: info\ngreeting: hello\nplanted: "+planted+"\nhostile: \"$(touch /x) `touch /x` \\\" ; touch /x ; \\\\ ' # 9f31hostile\"\n")

	// Watch every argument list on the host and here while it is deployed.
	f.sh(t, "h1", `systemd-run --quiet --collect --unit=watcher sh -c 'while :; do cat /proc/[0-9]*/cmdline 2>/dev/null | tr "\0" "\n"; done | grep --line-buffered -ao "[c]orrect-horse\|9f31[h]ostile\|9f31[e]nd" >> /run/seen'`)
	defer f.sh(t, "h1", `systemctl stop watcher; rm -f /run/seen`)

	// The watch itself is watched: a word in an argument list must be seen.
	f.await(t, "h1", `sh -c 'true "$0"; sleep 0.2' 9f31hostile; grep -q 9f31hostile /run/seen`)
	// What it saw of that has all been written once it has seen another word.
	f.await(t, "h1", `sh -c 'true "$0"; sleep 0.2' 9f31end; grep -q 9f31end /run/seen`)
	f.sh(t, "h1", `: > /run/seen`)

	dir := t.TempDir()
	if out, code := f.run(t, "render", "-f", f.spec(secrets), "--version", secrets, "-o", dir); code != 0 {
		t.Fatalf("render: exit code %d\n%s", code, out)
	}
	inventory := filepath.Join(f.infra, "inventories", "lab")
	out, err := exec.Command("ansible-playbook", "-vvv", "-i", inventory, filepath.Join(dir, "ansible", "deploy.yml"), "--limit", "h1").CombinedOutput()
	if err != nil {
		t.Fatalf("ansible-playbook: %v\n%s", err, out)
	}
	for _, word := range []string{"correct-horse", "9f31hostile", "Y29ycmVjdC1ob3JzZ"} { // the last is base64
		if strings.Contains(string(out), word) {
			t.Errorf("ansible-playbook -vvv shows %q", word)
		}
	}
	f.deploy(t, 0, first, "--limit", "h1")
	if out := f.deploy(t, 0, secrets); strings.Contains(out, "9f31") {
		t.Errorf("kinectl shows a secret:\n%s", out)
	}
	f.expect(t, "h1", `grep -v 9f31end /run/seen | head -n 3; systemctl stop watcher; rm /run/seen`, "")

	// The service has the values, to the letter.
	f.expect(t, "h1", `tr '\0' '\n' < /proc/$(systemctl show -P MainPID hello)/environ | grep -E '^(PLANTED|HOSTILE)=' | sort`,
		"HOSTILE=$(touch /x) `touch /x` \" ; touch /x ; \\ ' # 9f31hostile\nPLANTED="+planted)
	f.expect(t, "h1", `if [ -e /x ]; then echo executed; fi`, "")

	f.expect(t, "h1", `journalctl --no-pager -o export | grep -ac 'correct-horse\|9f31hostile\|Y29ycmVjdC1ob3JzZ' || true`, "0")
	f.expect(t, "h1", `grep -rlsa 'correct-horse\|9f31hostile\|Y29ycmVjdC1ob3JzZ' /etc /run /tmp /var /root /home /usr/share/kinectl | sort | sed 's/releases.[0-9]*/releases\/N/' | uniq`,
		"/etc/hello/environment\n/var/lib/kinectl/hello/releases/N/environment")
	f.expect(t, "h1", `stat -c '%a %U' /etc/hello/environment /var/lib/kinectl/hello /var/lib/kinectl/hello/releases/*/environment | sort | uniq`, "600 root\n700 root")

	logs, _ := filepath.Glob(filepath.Join(os.Getenv("HOME"), ".local/state/kinectl/log/*"))
	for _, l := range logs {
		if body, _ := os.ReadFile(l); strings.Contains(string(body), "9f31") {
			t.Errorf("%s shows a secret", l)
		}
	}
	f.runs(t, "h1", secrets)
}
