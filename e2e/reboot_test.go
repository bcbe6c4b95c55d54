package e2e

import (
	"context"
	"testing"
	"time"
)

// After a boot every service is as it was: the version, its limits, its sockets and
// timers; one that was stopped stays so.
func TestReboot(t *testing.T) {
	f := road
	f.offerPowered(t, "8.6.2", "0s", "0s")
	f.deploy(t, 0, "8.6.2", "--limit", "h1,h2,h3")
	f.verb(t, 0, "stop", "h3")

	f.sh(t, "h1", `systemd-run --quiet --on-active=1 --timer-property=AccuracySec=10ms systemctl poweroff`) // orderly
	one, other := f.powerCut(t, "h2"), f.powerCut(t, "h3")
	one()
	other()
	f.awaitOff(t, "h1")
	if err := f.lab.Boot(context.Background(), "h1"); err != nil {
		t.Fatal(err)
	}
	for _, h := range []string{"h1", "h2"} {
		f.await(t, h, `curl -sf -o /dev/null http://127.0.0.1:9090/metrics`)
		f.runs(t, h, "8.6.2")
		f.expect(t, h, poweredUnits, allOn)
		f.expect(t, h, `systemctl show -P MemoryMax -P LimitNOFILE -P TasksMax hello; grep -c ^67108864$ $(find /sys/fs/cgroup -path '*/system.slice/hello.service/memory.*' \( -name memory.max -o -name memory.limit_in_bytes \))`, "67108864\n4096\n65536\n1")
	}
	f.expect(t, "h3", poweredUnits, allOff)
	contains(t, f.verb(t, 1, "status", "h1,h2,h3"), "h1    8.6.2    healthy ", "h2    8.6.2    healthy ", "h3    8.6.2    stopped ", "h3: stopped by root from")
	f.verb(t, 0, "start", "h3")
	f.verb(t, 0, "status", "h1,h2,h3")
	f.deploy(t, 0, first, "--limit", "h1,h2,h3")
}

// awaitOff waits for a host that shuts down.
func (f *fixture) awaitOff(t *testing.T, host string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for ; ctx.Err() == nil; time.Sleep(100 * time.Millisecond) {
		for _, s := range f.lab.Status(ctx) {
			if s.Name == host && s.State == "off" {
				return
			}
		}
	}
	t.Fatalf("%s does not shut down", host)
}
