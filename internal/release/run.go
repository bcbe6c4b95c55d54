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
	out := &Outcome{Service: p.Name, Version: p.Version.Label, Group: p.Group, Env: o.Infra.Env, Log: log.Name(), Hosts: []HostResult{}}
	start := time.Now()
	t := teller{out: out, progress: o.Progress, began: map[string]bool{}, lost: map[string]line{}}
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
	lost     map[string]line // host → the task that could not reach it
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
	case l.Event == "start" && l.Play == stageDeploy:
		t.began[l.Host] = true
		t.tell(Event{Stage: l.Play, Host: l.Host, Started: true})
	case l.Event == "unreachable":
		t.lost[l.Host] = l
	case l.Event == "failed", l.Event == "ok" && l.Play == stageDeploy:
		t.result(l.Play, reported(l))
	}
}

// unreachable gives a result to the hosts that were lost and had no chance to
// report: Ansible may end the play at once.
func (t *teller) unreachable(hosts []string) {
	for _, h := range hosts {
		if l, ok := t.lost[h]; ok && !slices.ContainsFunc(t.out.Hosts, func(r HostResult) bool { return r.Host == h }) {
			t.result(l.Play, HostResult{Host: h, Result: Unreachable, Reason: message(l)})
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

// reported reads the line of JSON that a task ended with: our module's own, or
// that of another task, which has a message at least.
func reported(l line) HostResult {
	r := HostResult{}
	if json.Unmarshal(l.Result, &r) != nil || r.Result == "" {
		r = HostResult{Result: Failed, Reason: message(l)}
	}
	r.Host = l.Host
	return r
}

// message is what Ansible itself says of a task, on one line.
func message(l line) string {
	var m struct {
		Msg          string `json:"msg"`
		ModuleStderr string `json:"module_stderr"`
	}
	_ = json.Unmarshal(l.Result, &m)
	return strings.Join(strings.Fields(m.Msg+" "+m.ModuleStderr), " ")
}

// openLog makes the file for Ansible's output, named by time and release.
func openLog(dir string, p plan.Plan) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	name := fmt.Sprintf("%s-%s-%s-%d.log", time.Now().UTC().Format("20060102T150405"), p.Name, p.Version.Label, os.Getpid())
	return os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
}
