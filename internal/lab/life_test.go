package lab

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func testUpAgain(t *testing.T, l *Lab) {
	o := Options{Name: l.Name(), Hosts: 2, Program: "/bin/false"}
	before := l.Hosts()
	var said []string
	if _, err := Up(t.Context(), o, func(e Event) { said = append(said, e.Text) }); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(said) != "[lab test-lab is already up with 2 hosts]" || fmt.Sprint(before) != fmt.Sprint(l.Hosts()) {
		t.Errorf("up again: %q, %v, %v", said, before, l.Hosts())
	}
	o.Hosts = 3
	if _, err := Up(t.Context(), o, nil); err == nil || !strings.Contains(err.Error(), "lab down --name test-lab") {
		t.Error(err)
	}
}

func testPowerCut(t *testing.T, l *Lab) {
	output(t, l, "h2", "sh", "-c", "echo kept >/srv/kept; logger --id=1 before the cut; journalctl --sync")
	// Whoever waits for PID 1 must not live to see it gone.
	output(t, l, "h2", "sh", "-c", `printf '[Service]\nType=notify\nExecStart=sleep infinity\n' >/run/systemd/system/never.service; systemctl daemon-reload
		for i in $(seq 30); do systemd-run --quiet sh -c 'systemctl start never || echo seen >>/srv/seen'; done
		until [ "$(pgrep -fc 'systemctl start never')" -ge 30 ]; do sleep 0.05; done`)
	boot := output(t, l, "h2", "cat", "/proc/1/stat")
	old := l.Hosts()[1].Leader
	if err := l.PowerCut(t.Context(), "h2"); err != nil {
		t.Fatal(err)
	}
	if pids := l.hostGroup("h2").processes(); len(pids) > 0 || l.Hosts()[1].Leader != 0 {
		t.Error("still there:", pids)
	}
	if err := l.PowerCut(t.Context(), "h2"); err == nil {
		t.Error("cut the power of a host that is off")
	}
	if s := l.Status(t.Context()); s[0].State != "running" || s[1].State != "off" {
		t.Errorf("%+v", s)
	}
	if err := l.Boot(t.Context(), "h2"); err != nil {
		t.Fatal(err)
	}
	if now := l.Hosts()[1].Leader; now == old || now == 0 || boot == output(t, l, "h2", "cat", "/proc/1/stat") {
		t.Error("not a new boot:", old, now)
	}
	if got := output(t, l, "h2", "cat", "/srv/kept"); got != "kept" {
		t.Error(got)
	}
	if got := output(t, l, "h2", "journalctl", "--no-pager"); !strings.Contains(got, "before the cut") {
		t.Error("the journal of the boot before is gone")
	}
	if got := output(t, l, "h2", "sh", "-c", "cat /srv/seen 2>/dev/null || true"); got != "" {
		t.Errorf("%d processes have seen the end of PID 1", strings.Count(got, "seen"))
	}
	if cmd, err := l.SSH(t.Context(), "h2", "true"); err != nil {
		t.Error(err)
	} else if out, code := run(t, cmd); code != 0 {
		t.Error("ssh after the boot:", out)
	}
}

// testDegraded boots a host with a unit that fails.
func testDegraded(t *testing.T, l *Lab) {
	output(t, l, "h2", "sh", "-c", `printf '[Service]\nExecStart=/bin/false\n[Install]\nWantedBy=multi-user.target\n' >/etc/systemd/system/bad.service; systemctl enable bad`)
	if err := l.PowerCut(t.Context(), "h2"); err != nil {
		t.Fatal(err)
	}
	if err := l.Boot(t.Context(), "h2"); !errors.Is(err, ErrDegraded) || !strings.Contains(err.Error(), "bad.service") {
		t.Error(err)
	}
	if l.Hosts()[1].Leader == 0 {
		t.Error("a degraded host was not left on")
	}
}

// testReboot takes away what a reboot of the machine takes: all but the files.
func testReboot(t *testing.T, l *Lab) {
	if err := errors.Join(labGroup(l.Name()).kill(t.Context()), removeNamespaces(l.Name()), unmountBelow(l.Dir())); err != nil {
		t.Fatal(err)
	}
	again, err := Up(t.Context(), Options{Name: l.Name(), Hosts: 1, Program: "/bin/false"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := output(t, again, "h1", "systemctl", "is-system-running"); got != "running" {
		t.Error(got)
	}
}
