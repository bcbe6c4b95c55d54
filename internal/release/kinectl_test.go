package release

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/kinectl/kinectl/internal/needs"
)

// race runs the plugin without Ansible: a host ends at the very moment in which it is
// asked for its step. Whoever is first, no session outlives the host.
const race = `
import sys, threading, time, types

base = types.ModuleType("ansible.plugins.callback")
base.CallbackBase = object
ansible = types.ModuleType("ansible")
ansible.constants = types.SimpleNamespace(DEFAULT_INTERNAL_POLL_INTERVAL=0.001)
sys.modules.update({"ansible": ansible, "ansible.plugins": types.ModuleType("ansible.plugins"), "ansible.plugins.callback": base})
import kinectl

class Poll:
    def register(self, *_): pass
    def poll(self, _):
        time.sleep(0.01)
        return []

kinectl.select.poll = Poll
sessions, enders = [], []

class Plugin(kinectl.CallbackModule):
    def ask(self, host):
        ender = threading.Thread(target=self.leave, args=(host,))
        ender.start()
        ender.join(0.3)  # it comes to its end now, or waits for us
        sessions.append(kinectl.subprocess.Popen(["sleep", "60"], stdout=kinectl.subprocess.PIPE))
        enders.append(ender)
        return sessions[-1]

plugin = Plugin()
plugin.deploying["h1"] = None
for _ in range(1000):
    if enders: break
    time.sleep(0.01)
else:
    sys.exit("the host was never asked")
enders[0].join(10)
with plugin.lock: # the look that asked is over
    left = dict(plugin.deploying)
alive = [s.pid for s in sessions if s.poll() is None]
for s in sessions: s.kill()
if left or alive:
    sys.exit("after its end h1 is in %r, with the sessions %r" % (left, alive))
`

func TestAskAndLeave(t *testing.T) {
	needs.Program(t, "python3", "no playbook was run")
	dir := t.TempDir()
	write(t, filepath.Join(dir, "kinectl.py"), string(callback), 0o600)
	write(t, filepath.Join(dir, "race.py"), race, 0o600)
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	cmd := exec.CommandContext(t.Context(), "python3", filepath.Join(dir, "race.py"))
	cmd.Env = append(os.Environ(), "KINECTL_EVENTS=3", "KINECTL_SOCKETS="+dir, "KINECTL_SERVICE=hello")
	cmd.ExtraFiles = []*os.File{null}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // the plugin interrupts its group
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
