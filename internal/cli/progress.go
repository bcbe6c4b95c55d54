package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/kinectl/kinectl/internal/release"
)

// narrator prints one line for each host that ends and for each stage. On a
// terminal it shows below them, in lines that it draws anew, where the hosts
// are that are in work, and for how long; elsewhere it says every half minute
// what lasts. It may be used by several goroutines.
type narrator struct {
	w    io.Writer
	live *block // nil elsewhere than on a terminal
	now  func() time.Time

	mu    sync.Mutex
	stage string
	since time.Time // the stage began
	ended int       // hosts of the stage
	empty bool      // the stage has no host
	busy  []busyHost
	stop  chan struct{}
}

// busyHost is one that is in its transaction.
type busyHost struct {
	host  string
	step  string // as release.Event has it; empty when not known yet
	back  bool   // it is on its way back
	since time.Time
	told  time.Time // in a pipe: when the last word of it was said
}

// How often the lines of a terminal are drawn anew, and how long a host may
// take elsewhere until it is mentioned.
const (
	redrawEvery = 500 * time.Millisecond
	mentionedAt = 30 * time.Second
)

// newNarrator returns one that has begun; clear must be called in the end.
func newNarrator(w io.Writer) *narrator {
	n := &narrator{w: w, now: time.Now, since: time.Now(), stop: make(chan struct{})}
	if terminal(w) && os.Getenv("TERM") != "dumb" {
		n.live = &block{w: w, size: func() (int, int) { return screen(w) }}
	}
	go func() {
		tick := time.NewTicker(redrawEvery)
		defer tick.Stop()
		for {
			select {
			case <-n.stop:
				return
			case <-tick.C:
				n.tick()
			}
		}
	}()
	return n
}

// event is the release.Options.Progress of a run.
func (n *narrator) event(e release.Event) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.erase()
	switch {
	case e.Stage == "Revert":
		n.busy = nil
		fmt.Fprintln(n.w, "  deploy.on_failure: the hosts that had changed go back")
	case e.Stage == "Skip":
		fmt.Fprintf(n.w, "  %-11s unreachable, left out (--skip-unreachable)\n", e.Host)
	case e.Stage == release.StageWait:
		fmt.Fprintf(n.w, "  %-11s %s\n", "waiting", printable(e.Result.Reason))
	case e.Empty:
		n.empty = true
	case e.Host == "":
		n.enter(e.Stage)
	case e.Started:
		n.busy = append(n.busy, busyHost{host: e.Host, since: n.now(), told: n.now()})
	case e.Step != "":
		for i := range n.busy {
			if n.busy[i].host == e.Host {
				n.busy[i].step, n.busy[i].back = e.Step, n.busy[i].back || e.Step == "roll-back"
			}
		}
	default:
		n.end(e.Host, e.Result)
	}
	n.draw()
}

// end is the last word on a host, with the reason and the log when it went wrong.
func (n *narrator) end(host string, r release.HostResult) {
	var rest []busyHost
	for _, b := range n.busy {
		if b.host != host {
			rest = append(rest, b)
		}
	}
	n.busy = rest
	n.ended++
	n.line(host, describe(r), time.Duration(r.Seconds*float64(time.Second)))
	for _, l := range details(r) {
		fmt.Fprintln(n.w, "  "+strings.Repeat(" ", 12)+l)
	}
}

// enter ends the stage before and begins the next.
func (n *narrator) enter(stage string) {
	if stage == n.stage {
		return // Ansible begins a play anew for each batch
	}
	took := n.now().Sub(n.since)
	switch n.stage {
	case "Prepare":
		n.line("prepare", "every host reached, every variable defined", took)
	case "Deploy":
		n.line("deploy", fmt.Sprintf("%d %s", n.ended, plural(n.ended, "host")), took)
	case "Monitoring":
		if !n.empty { // else the summary says why
			n.line("monitoring", "Prometheus is told", took)
		}
	case "Cleanup":
		n.line("cleanup", "nothing temporary is left", took)
	}
	n.stage, n.since, n.ended, n.empty = stage, n.now(), 0, false
}

func (n *narrator) line(who, what string, took time.Duration) {
	seconds := ""
	if took > 0 {
		seconds = fmt.Sprintf("%.1f s", took.Seconds())
	}
	fmt.Fprintln(n.w, strings.TrimRight(fmt.Sprintf("  %-11s %-52s %7s", who, printable(what), seconds), " "))
}

// tick draws anew, or mentions what lasts.
func (n *narrator) tick() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.live != nil {
		n.erase()
		n.draw()
		return
	}
	for i := range n.busy {
		if b := &n.busy[i]; n.now().Sub(b.told) >= mentionedAt {
			b.told = n.now()
			fmt.Fprintf(n.w, "  %-11s … %s, %.0f s\n", b.host, b.doing(), n.now().Sub(b.since).Seconds())
		}
	}
}

func (n *narrator) erase() {
	if n.live != nil {
		n.live.erase()
	}
}

// draw shows what is under way.
func (n *narrator) draw() {
	if n.live == nil || n.stage == "" {
		return
	}
	var lines []string
	for _, b := range n.busy {
		lines = append(lines, fmt.Sprintf("  %-11s %-52s %5.0f s", b.host, b.doing()+" …", n.now().Sub(b.since).Seconds()))
	}
	if len(lines) == 0 {
		lines = []string{fmt.Sprintf("  %-11s %-52s %5.0f s", strings.ToLower(n.stage), "…", n.now().Sub(n.since).Seconds())}
	}
	n.live.draw(lines)
}

// done ends the last stage of a run that went well.
func (n *narrator) done() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.erase()
	n.enter("")
}

// clear takes what is unfinished away. Nothing is printed afterwards.
func (n *narrator) clear() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.erase()
	n.live, n.busy = nil, nil
	close(n.stop)
}
