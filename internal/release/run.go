package release

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/kinectl/kinectl/internal/artifact"
	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/version"
)

// The stage of the playbook in which hosts are released.
const stageDeploy = "Deploy"

// run executes a playbook for p over its group and gathers what became of
// every host. The Outcome is set also when there is an error after the start.
func run(ctx context.Context, o Options, p plan.Plan, files []artifact.File) (*Outcome, error) {
	hosts, err := o.Infra.Hosts(p.Group)
	if err != nil {
		return nil, err
	}
	unlock, err := lock(filepath.Join(o.StateDir, "lock"), o.Infra, p.Name)
	if err != nil {
		return nil, err
	}
	defer unlock()
	log, err := openLog(filepath.Join(o.StateDir, "log"), p)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	o.Limit, err = o.withMonitoring(ctx, hosts)
	if err != nil {
		return nil, err
	}
	out := &Outcome{Service: p.Name, Version: p.Version.Label, Group: p.Group, Env: o.Infra.Env, Log: log.Name(), Hosts: []HostResult{}}
	start := time.Now()
	t := teller{out: out, progress: o.Progress, began: map[string]bool{}, seen: map[string]bool{}, told: map[string]bool{}, lost: map[string]line{}}
	err = runPlaybook(ctx, o, files, log, t.event)
	t.unreachable()
	out.Seconds = time.Since(start).Seconds()
	out.LeftOut = !out.Monitored && len(o.Infra.monitoring()) > 0
	for _, h := range hosts {
		if t.seen[h] && !t.began[h] && !t.told["Prepare "+h] {
			out.Untouched = append(out.Untouched, h)
		}
	}
	if bad := out.err(); bad != nil && (err == nil || errors.Is(err, errHosts)) {
		err = bad
	}
	switch {
	case errors.Is(err, errHosts):
		err = fmt.Errorf("%w: see %s", err, out.Log)
	case err == nil && len(out.Hosts) == 0:
		err = fmt.Errorf("no host was reached: see %s", out.Log)
	case err == nil:
		out.Untouched = nil
	}
	return out, err
}

// teller turns the callback's lines into results and progress.
type teller struct {
	out      *Outcome
	progress func(Event)
	began    map[string]bool
	seen     map[string]bool // hosts that Prepare came to
	told     map[string]bool // plays and hosts that have a result
	lost     map[string]line // play and host → the task that could not reach it
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
	case l.Event == "start" && l.Play == "Prepare":
		t.seen[l.Host] = true
	case l.Event == "start" && l.Play == stageDeploy:
		t.began[l.Host] = true
		t.tell(Event{Stage: l.Play, Host: l.Host, Started: true})
	case l.Event == "unreachable":
		t.lost[l.Play+" "+l.Host] = l
	case l.Event == "ok" && l.Play == "Prepare":
		if r := reported(l); r.Result == Ran {
			t.tell(Event{Stage: l.Play, Host: l.Host, Result: r})
		}
	case l.Event == "failed", l.Event == "ok" && l.Play == stageDeploy:
		t.result(l.Play, reported(l))
	}
}

// unreachable gives a result to the hosts that were lost: Ansible may end the
// play before they have another task.
func (t *teller) unreachable() {
	for _, place := range slices.Sorted(maps.Keys(t.lost)) {
		l := t.lost[place]
		if t.told[place] || l.Play != "Monitoring" && t.told[stageDeploy+" "+l.Host] {
			continue // it came back, and has a word of its own
		}
		t.result(l.Play, HostResult{Host: l.Host, Result: Unreachable, Reason: message(l)})
	}
}

func (t *teller) result(stage string, r HostResult) {
	t.told[stage+" "+r.Host] = true
	t.out.stopped = t.out.stopped || stage == stageDeploy && !r.Result.Good()
	t.out.Hosts = append(t.out.Hosts, r)
	t.tell(Event{Stage: stage, Host: r.Host, Result: r})
}

func (t *teller) tell(e Event) {
	if t.progress != nil {
		t.progress(e)
	}
}

// reported reads the line of JSON that a task ended with: our module's own, or
// that of another task, which has a message at least.
func reported(l line) HostResult {
	r := HostResult{}
	if json.Unmarshal(l.Result, &r) != nil || r.Result == "" {
		r = HostResult{Result: Failed, Reason: message(l)}
	}
	r.Host = l.Host
	if from, err := version.FromDeb(r.From); err == nil {
		r.From = from.Label
	}
	return r
}

// message is what Ansible itself says of a task, on one line.
func message(l line) string {
	var m struct {
		Msg          string `json:"msg"`
		ModuleStderr string `json:"module_stderr"`
		Stdout       string // of a command that the task ran, such as the check of a file
		Stderr       string
	}
	_ = json.Unmarshal(l.Result, &m)
	return strings.Join(strings.Fields(strings.Join([]string{m.Msg, m.ModuleStderr, m.Stdout, m.Stderr}, " ")), " ")
}

// openLog makes the file for Ansible's output, named by time and release.
func openLog(dir string, p plan.Plan) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	words := []string{time.Now().UTC().Format("20060102T150405"), p.Name}
	if p.Version.Label != "" {
		words = append(words, p.Version.Label)
	}
	return os.CreateTemp(dir, strings.Join(words, "-")+"-*.log")
}
