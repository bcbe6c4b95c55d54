package e2e

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const rounds = 10

// Whatever is killed, and whenever, the host ends on the old version or the
// new one, whole and healthy.
func TestKill(t *testing.T) {
	f := road
	f.deploy(t, 0, first, "--limit", "h1")
	start := time.Now()
	f.deploy(t, 0, second, "--limit", "h1")
	t.Logf("an undisturbed deploy takes %.1f s", time.Since(start).Seconds())
	took := f.transactionTime(t)
	for _, victim := range []struct {
		name string
		kill func(*testing.T, *exec.Cmd)
		back func(*testing.T) // what brings the host back
		says bool             // the deployer lives and hears the host
	}{
		{"ansible-playbook", func(t *testing.T, cmd *exec.Cmd) { killTree(t, cmd.Process.Pid) }, nil, false},
		{"the ssh connection", func(t *testing.T, cmd *exec.Cmd) { killConnections(t) }, nil, false},
		{"the transaction itself", func(t *testing.T, cmd *exec.Cmd) {
			f.sh(t, "h1", `pid=$(systemctl show -P MainPID kinectl-hello); [ "$pid" = 0 ] || kill -9 "$pid"`)
		}, nil, true},
		{"PID 1 of the host", func(t *testing.T, cmd *exec.Cmd) {
			if err := f.lab.PowerCut(context.Background(), "h1"); err != nil {
				t.Fatal(err)
			}
		}, func(t *testing.T) {
			if err := f.lab.Boot(context.Background(), "h1"); err != nil {
				t.Fatal(err)
			}
		}, false},
	} {
		t.Run(victim.name, func(t *testing.T) {
			interrupted, span := 0, float64(took)
			// A moment that came too late interrupted nothing; such a round does
			// not count and is tried again, a little earlier.
			for try := 0; interrupted < rounds && try < 10*rounds; try++ {
				moment := time.Duration(span * (float64(interrupted) + 0.5) / rounds)
				if f.round(t, moment, victim.kill, victim.back, victim.says) {
					interrupted++
				} else {
					span *= 0.9
				}
				if t.Failed() {
					t.FailNow()
				}
			}
			if interrupted < rounds {
				t.Errorf("%d rounds interrupted something, want %d", interrupted, rounds)
			}
		})
	}
}

// round kills at one moment of one transaction, and reports whether the
// transaction was under way then.
func (f *fixture) round(t *testing.T, moment time.Duration, kill func(*testing.T, *exec.Cmd), back func(*testing.T), says bool) bool {
	t.Helper()
	old := f.sh(t, "h1", `dpkg-query -W -f '${Version}' hello`)
	target := map[string]string{first: second, second: first}[old]
	var out bytes.Buffer
	// The lease of a round that was killed lasts for a moment.
	cmd := exec.Command(f.kinectl, f.fleet("deploy", target, "--limit", "h1", "--wait", "20s")...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// Wait on the host itself for the transaction and the moment in it.
	phase := f.sh(t, "h1", fmt.Sprintf(underWay+`sleep %.3f
		systemctl is-active -q kinectl-hello && echo "$(ls /var/lib/kinectl/hello/txn 2>/dev/null | tr '\n' ' ')" || echo over`, moment.Seconds()))
	under := phase != "over"
	if under {
		kill(t, cmd)
	}
	if under && back == nil {
		// What was over when the blow fell was not interrupted.
		under = f.sh(t, "h1", `systemctl show -P ActiveState kinectl-hello`) != "inactive" || strings.Contains(f.lastResult(t), "interrupted")
	}
	// It must end by itself; what it then says does not matter here.
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-ended:
	case <-time.After(time.Minute):
		_ = cmd.Process.Kill()
		t.Fatalf("the deployer hung\n%s", out.String())
	}
	if back != nil && under {
		back(t)
	}
	defer f.tellIfFailed(t, "h1")
	f.await(t, "h1", `[ "$(systemctl show -P ActiveState kinectl-hello)" = inactive ] && [ "$(systemctl show -P ActiveState hello)" = active ] && curl -sf -o /dev/null http://127.0.0.1:9090/metrics`)
	now := f.sh(t, "h1", `dpkg-query -W -f '${Version}' hello`)
	if now != old && now != target {
		t.Errorf("on %s, which is neither %s nor %s", now, old, target)
	}
	if under {
		t.Logf("after %3d ms, on disk [%s]: %s → %s asked, on %s now", moment.Milliseconds(), strings.TrimSpace(phase), old, target, now)
	}
	f.runs(t, "h1", now)
	if code := cmd.ProcessState.ExitCode(); says && (code == 0) != (now == target) {
		t.Errorf("on %s now, and the deployer ended with exit code %d\n%s", now, code, out.String())
	}
	return under
}

// Killed after the point of no return: the release holds, and is told so.
func TestKillAfterCommit(t *testing.T) {
	f := road
	f.deploy(t, 0, first, "--limit", "h1")
	t.Cleanup(func() { f.sh(t, "h1", `systemctl stop killer 2>/dev/null; rm -f /run/killed`) })
	for _, version := range []string{second, first, second} {
		// The watcher has the process ready before, since the rest is quick. One that
		// never sees a commit must not take a processor from all tests that follow.
		f.sh(t, "h1", `systemd-run --quiet --collect --unit=killer --property=RuntimeMaxSec=60 sh -c 'cd /var/lib/kinectl/hello; until [ -e txn/record ]; do :; done
			pid=$(systemctl show -P MainPID kinectl-hello); until [ -e txn/committed ]; do :; done; kill -9 $pid; echo $pid >/run/killed'`)
		out := f.deploy(t, 0, version, "--limit", "h1")
		contains(t, out, "→ "+version+", healthy", "1 deployed")
		f.expect(t, "h1", `journalctl -q -o cat -u kinectl-hello --since="@$(stat -c %Y /run/killed)" | grep -c "code=killed, status=9/KILL"; rm /run/killed`, "1")
		contains(t, f.lastResult(t), `"version":"`+version+`"`, `"result":"deployed"`)
		f.runs(t, "h1", version)
	}
}

func (f *fixture) lastResult(t *testing.T) string {
	t.Helper()
	return f.sh(t, "h1", `tail -n 1 /var/lib/kinectl/hello/releases.jsonl`)
}

// tellIfFailed shows what the host knows about a round that went wrong.
func (f *fixture) tellIfFailed(t *testing.T, host string) {
	t.Helper()
	if t.Failed() {
		t.Log(f.sh(t, host, `systemctl --no-pager status hello 'kinectl-*' 2>&1; ls -lR /var/lib/kinectl/hello; dpkg -l hello; cat /var/lib/kinectl/hello/releases.jsonl; journalctl --no-pager -b -u 'kinectl*' -u hello | tail -n 60; systemctl list-jobs`))
	}
}

// transactionTime is what the shortest of five transactions takes, from where a round
// sees its beginning: a machine that is busy for once makes no moment come too late.
func (f *fixture) transactionTime(t *testing.T) time.Duration {
	t.Helper()
	shortest := time.Duration(math.MaxInt64)
	for _, version := range []string{first, second, first, second, first} {
		end := f.launch(t, f.fleet("deploy", version, "--limit", "h1")...)
		text := f.sh(t, "h1", underWay+`a=$(date +%s%N); while systemctl is-active -q kinectl-hello; do sleep 0.005; done; echo "$(( ($(date +%s%N) - a) / 1000000 ))"`)
		if out, code := end(); code != 0 {
			t.Fatalf("deploy %s: exit code %d\n%s", version, code, out)
		}
		ms, err := strconv.Atoi(text)
		if err != nil || ms <= 0 {
			t.Fatalf("a transaction of %q ms", text)
		}
		shortest = min(shortest, time.Duration(ms)*time.Millisecond)
	}
	t.Logf("a transaction takes %d ms", shortest.Milliseconds())
	return shortest
}

// underWay waits on the host until its transaction has begun.
const underWay = `for i in $(seq 2000); do systemctl is-active -q kinectl-hello && break; sleep 0.005; done
`

// killTree kills ansible-playbook, which runs below the deployer, and
// everything below it.
func killTree(t *testing.T, deployer int) {
	t.Helper()
	killed := 0
	var walk func(pid int, inside bool)
	walk = func(pid int, inside bool) {
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		inside = inside || bytes.Contains(line, []byte("ansible-playbook"))
		children := childrenOf(pid)
		if inside {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			killed++
		}
		for _, c := range children {
			walk(c, inside)
		}
	}
	walk(deployer, false)
	if killed == 0 {
		t.Error("found no ansible-playbook to kill")
	}
}

// childrenOf are the processes that another one has started.
func childrenOf(pid int) (children []int) {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, task := range tasks {
		body, _ := os.ReadFile(task)
		for _, word := range strings.Fields(string(body)) {
			if child, err := strconv.Atoi(word); err == nil {
				children = append(children, child)
			}
		}
	}
	return children
}

// killConnections kills the ssh clients that talk to the lab's hosts.
func killConnections(t *testing.T) {
	t.Helper()
	killed := 0
	entries, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, e := range entries {
		line, _ := os.ReadFile(e)
		if bytes.HasPrefix(line, []byte("ssh")) && bytes.Contains(line, []byte("/kinectl-lab/"+labName+"/")) {
			pid, _ := strconv.Atoi(strings.Split(e, "/")[2])
			_ = syscall.Kill(pid, syscall.SIGKILL)
			killed++
		}
	}
	if killed == 0 {
		t.Error("found no ssh client to kill")
	}
}
