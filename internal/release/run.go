package release

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/kinectl/kinectl/internal/artifact"
	"github.com/kinectl/kinectl/internal/plan"
)

// The tasks of the playbook whose events carry a host's story.
const (
	taskTransaction = "Run the transaction"
	taskReport      = "Report the result"
)

// run executes a playbook for p over its group and gathers what became of
// every host. The Outcome is set also when there is an error after the start.
func run(ctx context.Context, o Options, p plan.Plan, files []artifact.File) (*Outcome, error) {
	hosts, err := o.Infra.Hosts(p.Group)
	if err != nil {
		return nil, err
	}
	log, err := openLog(o.LogDir, p)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	out := &Outcome{Service: p.Name, Version: p.Version.Label, Group: p.Group, Env: o.Infra.Env, Log: log.Name(), Hosts: []HostResult{}}
	start := time.Now()
	t := teller{out: out, progress: o.Progress, began: map[string]bool{}, items: map[string]string{}, lost: map[string]line{}}
	err = runPlaybook(ctx, o, files, log, t.event)
	t.unreachable(hosts)
	out.Seconds = time.Since(start).Seconds()
	for _, h := range hosts {
		if !t.began[h] && !slices.ContainsFunc(out.Hosts, func(r HostResult) bool { return r.Host == h }) {
			out.Untouched = append(out.Untouched, h)
		}
	}
	if err == nil {
		err = out.err()
	}
	if err == nil && len(out.Hosts) == 0 {
		err = fmt.Errorf("no host was reached: see %s", out.Log)
	}
	return out, err
}

// teller turns the callback's lines into results and progress.
type teller struct {
	out      *Outcome
	progress func(Event)
	began    map[string]bool
	items    map[string]string // host → what its failed loop items said
	lost     map[string]line   // host → the task that could not reach it
}

func (t *teller) event(l line) {
	switch {
	case l.Event == "play":
		t.tell(Event{Stage: l.Play})
		if l.Play == "Monitoring" {
			t.out.Monitored = true
		}
	case l.Event == "no-hosts" && l.Play == "Monitoring":
		t.out.Monitored = false
	case l.Event == "start" && l.Task == taskTransaction:
		t.began[l.Host] = true
		t.tell(Event{Stage: l.Play, Host: l.Host, Started: true})
	case l.Event == "unreachable":
		t.lost[l.Host] = l
	case l.Event == "item-failed":
		t.items[l.Host] = join(t.items[l.Host], l.Message)
	case l.Task == taskReport && (l.Event == "ok" || l.Event == "failed"):
		t.result(l.Play, reported(l))
	case l.Event == "failed":
		t.result(l.Play, stopped(l, t.items[l.Host]))
	}
}

// unreachable gives a result to the hosts that were lost and had no chance to
// report: Ansible may end the play at once.
func (t *teller) unreachable(hosts []string) {
	for _, h := range hosts {
		if l, ok := t.lost[h]; ok && !slices.ContainsFunc(t.out.Hosts, func(r HostResult) bool { return r.Host == h }) {
			t.result(l.Play, HostResult{Host: h, Result: Unreachable, Reason: strings.Join(strings.Fields(l.Message), " ")})
		}
	}
}

func (t *teller) result(stage string, r HostResult) {
	t.out.Hosts = append(t.out.Hosts, r)
	t.tell(Event{Stage: stage, Host: r.Host, Result: r})
}

func (t *teller) tell(e Event) {
	if t.progress != nil {
		t.progress(e)
	}
}

// reported reads the line of JSON that the transaction ended with.
func reported(l line) HostResult {
	r := HostResult{}
	if err := json.Unmarshal([]byte(l.Message), &r); err != nil {
		r = HostResult{Result: Failed, Reason: l.Message}
	}
	r.Host = l.Host
	return r
}

// stopped makes a result of a task that failed before or after the transaction.
func stopped(l line, items string) HostResult {
	r := HostResult{Host: l.Host, Result: Failed, Reason: l.Message}
	if items != "" {
		r.Reason = items
	}
	for _, kind := range []Result{Locked, Unreachable} {
		prefix := string(kind) + ": "
		if len(r.Reason) > len(prefix) && r.Reason[:len(prefix)] == prefix {
			r.Result, r.Reason = kind, r.Reason[len(prefix):]
		}
	}
	return r
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}

// openLog makes the file for Ansible's output, named by time and release.
func openLog(dir string, p plan.Plan) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	name := fmt.Sprintf("%s-%s-%s-%d.log", time.Now().UTC().Format("20060102T150405"), p.Name, p.Version.Label, os.Getpid())
	return os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
}
