package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/kinectl/kinectl/internal/release"
)

// narrator prints one line for each host that ends. On a terminal it also
// shows which hosts are in work, on a last line that it rewrites.
type narrator struct {
	w     io.Writer
	live  bool
	stage string
	start time.Time
	since time.Time
	busy  []string
}

func newNarrator(w io.Writer) *narrator {
	now := time.Now()
	return &narrator{w: w, live: terminal(w), start: now, since: now}
}

// event is the release.Options.Progress of a run.
func (n *narrator) event(e release.Event) {
	switch {
	case e.Stage == "Revert":
		n.write("  deploy.on_failure: the hosts that had changed go back")
	case e.Host == "":
		n.enter(e.Stage)
	case e.Started:
		n.busy = append(n.busy, e.Host)
	default:
		n.busy = remove(n.busy, e.Host)
		n.line(e.Host, describe(e.Result), time.Duration(e.Result.Seconds*float64(time.Second)))
		for _, l := range details(e.Result) {
			n.write("  " + strings.Repeat(" ", 12) + l)
		}
	}
	n.redraw()
}

func (n *narrator) enter(stage string) {
	if n.stage == "Prepare" && stage == "Deploy" {
		n.line("prepare", "every host reached, every variable defined", time.Since(n.since))
	}
	n.stage, n.since = stage, time.Now()
}

func (n *narrator) line(who, what string, took time.Duration) {
	seconds := ""
	if took > 0 {
		seconds = fmt.Sprintf("%.1f s", took.Seconds())
	}
	n.write(strings.TrimRight(fmt.Sprintf("  %-11s %-52s %7s", who, what, seconds), " "))
}

func (n *narrator) write(s string) {
	if n.live {
		fmt.Fprint(n.w, "\r\x1b[K")
	}
	fmt.Fprintln(n.w, s)
}

// redraw shows what is under way. It is erased by the next line.
func (n *narrator) redraw() {
	if n.live && len(n.busy) > 0 {
		fmt.Fprintf(n.w, "\r\x1b[K  %s …", strings.Join(n.busy, " "))
	}
}

// clear takes the last, unfinished line away.
func (n *narrator) clear() {
	if n.live {
		fmt.Fprint(n.w, "\r\x1b[K")
	}
}

func describe(r release.HostResult) string {
	from := r.From
	if from == "" {
		from = "not installed"
	}
	switch r.Result {
	case release.Deployed, release.Restored:
		if r.From == r.Version && r.Result == release.Restored {
			return r.Version + ", the configuration before, healthy"
		}
		if r.From == r.Version {
			return r.Version + ", new configuration, healthy"
		}
		return fmt.Sprintf("%s → %s, healthy", from, r.Version)
	case release.Ran:
		return "ran deploy.before of " + r.Version
	case release.Unchanged:
		return "unchanged"
	case release.Removed:
		return "removed " + r.From
	case release.Checked:
		return r.Reason
	case release.RolledBack:
		return fmt.Sprintf("%s → %s failed, rolled back: %s again", from, r.Version, from)
	case release.Locked:
		return "locked"
	case release.Unreachable:
		return "unreachable"
	}
	return "failed"
}

// details say why, under the line of a host that went wrong.
func details(r release.HostResult) []string {
	if r.Result.Good() {
		return nil
	}
	lines := []string{r.Reason}
	for _, l := range r.Log {
		lines = append(lines, "| "+l)
	}
	return lines
}

// summary is the last line of a run that went well.
func summary(o *release.Outcome) string {
	count := map[release.Result]int{}
	for _, h := range o.Hosts {
		count[h.Result]++
	}
	var parts []string
	for _, r := range []release.Result{release.Deployed, release.Restored, release.Removed, release.Unchanged, release.Checked} {
		if count[r] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count[r], r))
		}
	}
	s := fmt.Sprintf("%s: %s, %.1f s", strings.TrimSpace(o.Service+" "+o.Version), strings.Join(parts, ", "), o.Seconds)
	switch {
	case o.LeftOut:
		s += "; monitoring skipped: --limit leaves no host of the group monitoring"
	case !o.Monitored:
		s += "; monitoring skipped: no host of a group monitoring"
	}
	return s
}

func remove(list []string, s string) []string {
	var kept []string
	for _, x := range list {
		if x != s {
			kept = append(kept, x)
		}
	}
	return kept
}
