package cli

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kinectl/kinectl/internal/release"
)

// screenOf shows what a terminal of so many columns has on it: it knows the few
// sequences that a block uses. A line that wraps takes two, as on a real one.
func screenOf(text string, columns int) []string {
	var lines []string
	current, row := "", 0
	put := func() {
		for len([]rune(current)) > columns {
			lines = append(lines[:row], string([]rune(current)[:columns]))
			current, row = string([]rune(current)[columns:]), row+1
		}
		lines = append(lines[:min(row, len(lines))], current)
		current, row = "", row+1
	}
	for i := 0; i < len(text); i++ {
		switch rest := text[i:]; {
		case text[i] == '\n':
			put()
		case strings.HasPrefix(rest, "\x1b[J"):
			lines = lines[:row]
			i += 2
		case text[i] == '\x1b':
			var up int
			n, _ := fmt.Sscanf(rest, "\x1b[%dA\r", &up)
			if n != 1 {
				panic("unknown sequence")
			}
			row -= up
			i += strings.Index(rest, "\r")
		default:
			current += text[i : i+1]
		}
	}
	return lines
}

// clock is a narrator's whose time a test moves.
type clock struct{ time.Time }

func (c *clock) pass(d time.Duration) { c.Time = c.Add(d) }

func told(columns, rows int) (*narrator, *bytes.Buffer, *clock) {
	var out bytes.Buffer
	c := &clock{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	n := &narrator{w: &out, now: func() time.Time { return c.Time }, since: c.Time, stop: make(chan struct{})}
	if columns > 0 {
		n.live = &block{w: &out, size: func() (int, int) { return columns, rows }}
	}
	return n, &out, c
}

func begin(n *narrator, hosts ...string) {
	n.event(release.Event{Stage: "Prepare"})
	n.event(release.Event{Stage: "Deploy"})
	for _, h := range hosts {
		n.event(release.Event{Stage: "Deploy", Host: h, Started: true})
	}
}

func squeezed(lines []string) string {
	var all []string
	for _, l := range lines {
		all = append(all, strings.Join(strings.Fields(l), " "))
	}
	return strings.Join(all, "\n")
}

// TestLive follows hosts on a terminal: finished ones stay, those in work are
// below them, each once.
func TestLive(t *testing.T) {
	n, out, c := told(80, 24)
	f := func(want string) {
		t.Helper()
		if got := squeezed(screenOf(out.String(), 80)); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
	begin(n, "h1", "h2")
	const prepared = "prepare every host reached, every variable defined\n"
	f(prepared + "h1 begins … 0 s\nh2 begins … 0 s")
	c.pass(3 * time.Second)
	n.event(release.Event{Host: "h1", Step: "install"})
	n.event(release.Event{Host: "h2", Step: "roll-back"})
	n.event(release.Event{Host: "h2", Step: "judge"}) // of the release before
	n.tick()
	f(prepared + "h1 installs the package … 3 s\nh2 going back … 3 s")
	n.event(release.Event{Host: "h1", Result: release.HostResult{Result: release.Deployed, From: "1.0.0", Version: "1.1.0", Seconds: 3}})
	f(prepared + "h1 1.0.0 → 1.1.0, healthy 3.0 s\nh2 going back … 3 s")
	n.event(release.Event{Host: "h2", Result: release.HostResult{Result: release.RolledBack, From: "1.0.0", Version: "1.1.0", Seconds: 4, Reason: "got 500", Log: []string{"crash"}}})
	n.clear()
	f(prepared + "h1 1.0.0 → 1.1.0, healthy 3.0 s\nh2 1.0.0 → 1.1.0 failed, rolled back: 1.0.0 again 4.0 s\ngot 500\n| crash")
	n.tick() // after the end there is nothing to draw
	f(prepared + "h1 1.0.0 → 1.1.0, healthy 3.0 s\nh2 1.0.0 → 1.1.0 failed, rolled back: 1.0.0 again 4.0 s\ngot 500\n| crash")
}

// TestLiveSize draws on narrow and low terminals, over and over: no line is left
// from a drawing before.
func TestLiveSize(t *testing.T) {
	f := func(columns, rows, hosts int, want string) {
		t.Helper()
		n, out, c := told(columns, rows)
		var all []string
		for i := range hosts {
			all = append(all, fmt.Sprintf("h%d", i+1))
		}
		begin(n, all...)
		for range 5 {
			c.pass(time.Second)
			n.tick()
		}
		lines := screenOf(out.String(), columns)
		for _, l := range lines[1:] {
			if len([]rune(l)) >= columns && !strings.Contains(l, "every") {
				t.Errorf("%d columns: a line of %d: %q", columns, len([]rune(l)), l)
			}
		}
		if got := squeezed(lines[len(lines)-1:]); got != want {
			t.Errorf("%dx%d, %d hosts: the last line is %q, want %q", columns, rows, hosts, got, want)
		}
		if most := hosts + 3; len(lines) > most {
			t.Errorf("%dx%d: %d lines are left, not %d:\n%s", columns, rows, len(lines), most, strings.Join(lines, "\n"))
		}
	}
	f(80, 24, 6, "h6 begins … 5 s")
	f(200, 50, 40, "h40 begins … 5 s")
	f(80, 24, 50, "… and 29 more")
	f(30, 24, 3, "h3 begins …")
	f(80, 3, 5, "… and 5 more")
}

// TestHostileWords: what a host says does not steer the terminal.
func TestHostileWords(t *testing.T) {
	const steers = "\x1b[2J\r\nend"
	for _, r := range []release.HostResult{
		{Result: release.Failed, Reason: steers, Log: []string{steers}},
		{Result: release.Checked, Reason: steers},
		{Result: release.Unreachable, Reason: steers},
	} {
		n, out, _ := told(0, 0)
		begin(n, "h1")
		n.event(release.Event{Host: "h1", Result: r})
		if text := out.String(); strings.ContainsAny(text, "\x1b\r") || !strings.Contains(text, "[2J") || strings.Contains(text, "\nend") {
			t.Errorf("%s: %q", r.Result, text)
		}
	}
}

// TestPlainProgress is what a pipeline's log gets: no sequences of a terminal,
// a line for each end, and every half minute a word of what lasts.
func TestPlainProgress(t *testing.T) {
	n, out, c := told(0, 0)
	begin(n, "h1", "h2")
	n.event(release.Event{Host: "h1", Step: "install"})
	for range 70 {
		c.pass(time.Second)
		n.tick()
	}
	n.event(release.Event{Host: "h2", Result: release.HostResult{Result: release.Unchanged}})
	n.event(release.Event{Stage: "Monitoring"})
	n.event(release.Event{Stage: "Monitoring", Empty: true})
	n.event(release.Event{Stage: "Cleanup"})
	n.done()
	n.clear()
	const want = "prepare every host reached, every variable defined\nh1 … installs the package, 30 s\nh2 … begins, 30 s\n" +
		"h1 … installs the package, 60 s\nh2 … begins, 60 s\nh2 unchanged\ndeploy 1 host 70.0 s\ncleanup nothing temporary is left"
	if got := squeezed(strings.Split(strings.TrimSpace(out.String()), "\n")); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if strings.Contains(out.String(), "\x1b") {
		t.Errorf("a sequence of a terminal in a pipe: %q", out)
	}
}
