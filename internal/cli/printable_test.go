package cli

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/release"
)

// TestHostsSteerNoTerminal has hosts that say what would clear the screen, forge a
// cell or a line, wherever their words are shown.
func TestHostsSteerNoTerminal(t *testing.T) {
	const evil = "ann\x1b[2J\u009b1A\r\x07"
	host := release.HostResult{Host: "h1", Action: "install", Version: "1" + evil, From: "0" + evil, Result: release.Failed, Reason: evil, Who: evil + "\tb", When: evil, Log: []string{evil}}
	f := func(name string, show func(a *app)) {
		t.Helper()
		var out bytes.Buffer
		show(&app{stdout: &out, stderr: &out})
		if got := out.String(); strings.ContainsAny(got, "\x1b\r\a\u009b") || !strings.Contains(got, "ann") {
			t.Errorf("%s: %q", name, got)
		}
	}
	f("history", func(a *app) { a.historyTable(release.Rolls([]release.HostResult{host})) })
	f("status", func(a *app) {
		hosts := []release.HostStatus{{Host: "h1", Service: evil, Version: evil, Health: release.Sick, Last: &host, Lease: evil, Freeze: evil, Kept: []release.Kept{{Version: "2" + evil}}}}
		a.statusTable(hosts, true)
		a.statusDetails(hosts)
	})
	f("plan", func(a *app) {
		a.showPreview(&release.Preview{Hosts: []release.HostPreview{
			{Host: "h1", Result: release.Locked, Reason: evil},
			{Host: "h2", Result: release.Planned, Changes: true, From: evil, Diffs: []release.Diff{{File: evil, Text: "-" + evil + "\n+b\n"}}},
		}, Capacity: 2}, plan.Plan{}, "")
	})
	f("progress", func(a *app) {
		n := &narrator{w: a.stdout, now: time.Now, busy: []busyHost{{host: "h2", step: evil}}}
		n.event(release.Event{Stage: release.StageWait, Result: host})
		n.event(release.Event{Stage: "Deploy", Host: "h1", Result: host})
		host.Result = release.Deployed
		n.event(release.Event{Stage: "Deploy", Host: "h1", Result: host})
		n.tick()
	})
	f("a refusal", func(a *app) { a.fail(failed(errors.New("hello is locked on h1: "+evil), "")) })
}
