package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Three versions that are bad in a way which shows late, on the second of two
// hosts. With on_failure: stop the first one keeps the new version, with revert
// it goes back; the second is whole again in each case.
func TestBadOnTheSecondHost(t *testing.T) {
	f := road
	fault := filepath.Join(f.infra, "inventories", "lab", "host_vars", "h2.yml")
	t.Cleanup(func() {
		if err := os.RemoveAll(filepath.Dir(fault)); err != nil {
			t.Error(err)
		}
	})
	// systemd waits for ninety seconds where nobody says otherwise.
	f.sh(t, "h2", `mkdir -p /etc/systemd/system/hello.service.d && printf '[Service]\nTimeoutStartSec=5\n' >/etc/systemd/system/hello.service.d/patience.conf; systemctl daemon-reload`)
	t.Cleanup(func() { f.sh(t, "h2", `rm -r /etc/systemd/system/hello.service.d; systemctl daemon-reload`) })
	const notifies = "}\nexec: {type: notify}" + variables + "\n  HELLO_FAULT={{ fault | default('') }}"
	for i, c := range []struct{ fault, settle, why string }{
		{"exit3s", "4s", "fault exit3s"}, // it had been healthy until then
		{"wrongversion", "0s", "says that it is version '0.0.0-wrong', not '41."},
		{"silent", "0s", "hello.service never said that it was ready (Type=notify)"},
	} {
		t.Run(c.fault, func(t *testing.T) {
			probe := "deploy: {probe: {timeout: 20s, settle: " + c.settle + "}, on_failure: "
			stop, revert := fmt.Sprintf("41.%d.0", i), fmt.Sprintf("41.%d.1", i)
			f.offer(t, stop, "", probe+"stop"+notifies)
			f.offer(t, revert, "", probe+"revert"+notifies)
			f.deploy(t, 0, first, "--limit", "h1,h2")
			write(t, fault, "fault: "+c.fault+"\n")
			out := f.deploy(t, 3, stop, "--limit", "h1,h2")
			contains(t, out, "1.0.0 → "+stop+" failed, rolled back: 1.0.0 again", c.why, "error: hello "+stop+" was rolled back on h2")
			f.runs(t, "h1", stop)
			f.runs(t, "h2", first)
			out = f.deploy(t, 3, revert, "--limit", "h1,h2")
			contains(t, out, stop+" → "+revert+", healthy", "1.0.0 → "+revert+" failed, rolled back: 1.0.0 again", c.why,
				"the hosts that had changed go back", revert+" → "+stop+", healthy", "error: hello "+revert+" was rolled back on h2")
			f.runs(t, "h1", stop)
			f.runs(t, "h2", first)
		})
	}
}

// A package whose program is the old one, which says so.
func TestOldProgram(t *testing.T) {
	f := road
	f.deploy(t, 0, first, "--limit", "h1")
	file := f.spec("41.4.0")
	write(t, file, specOf(build{version: "41.4.0", says: first}))
	f.publishSpec(t, file, "41.4.0", "--binary", filepath.Join(f.dir, "specs", first, "hello"))
	out := f.deploy(t, 3, "41.4.0", "--limit", "h1")
	contains(t, out, "1.0.0 → 41.4.0 failed, rolled back: 1.0.0 again", "says that it is version '1.0.0', not '41.4.0'")
	f.runs(t, "h1", first)
}

// A host loses its power in the middle of its turn, and is not there any more:
// the roll stops, and names it. When it comes back it is whole.
func TestHostDiesOnItsTurn(t *testing.T) {
	f := road
	f.deploy(t, 0, first)
	var out bytes.Buffer
	cmd := exec.CommandContext(t.Context(), f.kinectl, f.fleet("deploy", slow)...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	f.await(t, "h2", `[ -e /var/lib/kinectl/hello/txn/record ] && curl -s http://127.0.0.1:9090/metrics | grep -q 'version="5.0.0"'`)
	back := f.powerCut(t, "h2")
	start := time.Now()
	_ = cmd.Wait()
	t.Logf("ended %.0f s after the power cut with exit code %d", time.Since(start).Seconds(), cmd.ProcessState.ExitCode())
	said := out.String()
	contains(t, said, "1.0.0 → 5.0.0, healthy", "h2 ", "not touched h3 h4", "error: ")
	if code := cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("exit code %d\n%s", code, said)
	}
	back()
	f.await(t, "h2", `systemctl is-active -q hello && [ ! -e /var/lib/kinectl/hello/txn ] && curl -sf -o /dev/null http://127.0.0.1:9090/metrics`)
	f.runs(t, "h1", slow)
	f.runs(t, "h2", first)
	f.runs(t, "h3", first)
	f.deploy(t, 0, slow) // the same again ends what was begun
	for _, h := range hosts {
		f.runs(t, h, slow)
	}
}

// A package that is in the index and not in the pool, before a release and in
// the middle of one.
func TestVanishedPackage(t *testing.T) {
	f := road
	f.offer(t, "41.5.0", "", quick+"}"+variables)
	f.offer(t, "41.5.1", "", "deploy: {probe: {timeout: 60s, settle: 3s}}"+variables)
	f.deploy(t, 0, first, "--limit", "h1,h2")
	t.Run("before", func(t *testing.T) {
		back := f.vanish(t, "41.5.0")
		defer back()
		out := f.deploy(t, 1, "41.5.0", "--limit", "h1,h2")
		contains(t, out, "hello 41.5.0", "hello_41.5.0_", "is missing")
		f.runs(t, "h1", first)
		f.runs(t, "h2", first)
	})
	t.Run("on the way", func(t *testing.T) {
		end := f.launch(t, f.fleet("deploy", "41.5.1", "--limit", "h1,h2")...)
		f.await(t, "h1", `systemctl is-active -q kinectl-hello`)
		f.sh(t, "h2", `apt-get clean`)
		back := f.vanish(t, "41.5.1")
		out, code := end()
		back()
		if code != 1 {
			t.Errorf("exit code %d", code)
		}
		contains(t, out, "1.0.0 → 41.5.1, healthy", "h2 ", "apt could not install hello 41.5.1", "404", "error: hello 41.5.1 failed on h2")
		f.runs(t, "h1", "41.5.1")
		f.runs(t, "h2", first)
		contains(t, f.deploy(t, 0, "41.5.1", "--limit", "h1,h2"), "1 deployed, 1 unchanged")
	})
}

// Somebody else works with the packages, as unattended upgrades do at night: a
// release waits for all of the locks, and then goes on. They are held until the test
// has seen it wait.
func TestPackageLocks(t *testing.T) {
	f := road
	f.deploy(t, 0, first, "--limit", "h1")
	const holds = `systemd-run --quiet --collect --unit=upgrade python3 -c '
import fcntl, os, time
files = [open("/var/lib/" + n, "w") for n in ("dpkg/lock-frontend", "dpkg/lock", "apt/lists/lock", "apt/../../cache/apt/archives/lock")]
for f in files: fcntl.lockf(f, fcntl.LOCK_EX)
open("/run/upgrade-holds", "w")
while os.path.exists("/run/upgrade-holds"): time.sleep(0.05)
'`
	// What the last try of apt or dpkg said, which is followed by another one.
	const waits = `grep -qs -e 'Could not get lock' -e 'lock was locked' /run/kinectl/hello.*/apt /run/kinectl/hello.*/dpkg`
	f.sh(t, "h1", holds)
	f.await(t, "h1", `[ -e /run/upgrade-holds ]`)
	f.expect(t, "h1", `apt-get -q update 2>&1 | grep -c 'Could not get lock'; dpkg --configure -a 2>&1 | grep -c 'lock was locked'`, "1\n1")
	meets := func(version, want string) {
		t.Helper()
		end := f.launch(t, f.fleet("deploy", version, "--limit", "h1")...)
		f.await(t, "h1", `[ -e /run/upgrade-holds ] && `+waits)
		f.sh(t, "h1", `rm /run/upgrade-holds`)
		out, code := end()
		if contains(t, out, want); code != 0 {
			t.Errorf("exit code %d\n%s", code, out)
		}
		f.await(t, "h1", `! systemctl -q is-active upgrade`)
	}
	t.Cleanup(func() { f.sh(t, "h1", `rm -f /run/upgrade-holds`) })
	meets(second, "1.0.0 → 1.1.0, healthy")
	f.runs(t, "h1", second)

	// Taken in the middle: after Prepare, before the package is installed.
	f.sh(t, "h1", strings.Replace(holds, "import fcntl, os, time\n", "import fcntl, os, time\nwhile not os.path.exists(\"/var/lib/kinectl/hello/txn/record\"): pass\n", 1))
	meets(first, "1.1.0 → 1.0.0, healthy")
	f.runs(t, "h1", first)
}

// vanish takes a package out of the repository's folder, and leaves it in its lists.
func (f *fixture) vanish(t *testing.T, version string) (back func()) {
	t.Helper()
	file, err := exec.Command("find", f.repo, "-name", "hello_"+version+"_*.deb").Output()
	path := strings.TrimSpace(string(file))
	if err != nil || path == "" || strings.Contains(path, "\n") {
		t.Fatalf("the package is %q, %v", path, err)
	}
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Rename(path+".away", path); err != nil {
			t.Error(err)
		}
	}
}
