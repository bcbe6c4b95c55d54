package release

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
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

// once is [run] without waiting for anybody.
func once(ctx context.Context, o Options, p plan.Plan, files []artifact.File) (*Outcome, error) {
	hosts, err := o.Infra.Hosts(p.Group)
	if err != nil {
		return nil, err
	}
	if !o.Check { // which changes nothing, and is in nobody's way
		unlock, err := lock(filepath.Join(o.StateDir, "lock"), o.Infra, p.Name)
		if err != nil {
			return nil, err
		}
		defer unlock()
	}
	kind := ofChange
	if o.Check {
		kind = ofLook
	}
	log, err := o.openLog(kind, p)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	chosen, selected, err := o.choose(ctx, p.Group, hosts)
	if err != nil {
		return nil, err
	}
	o.selected, o.Limit, o.service = selected, "", p.Name
	out := &Outcome{Service: p.Name, Version: p.Version.Label, Group: p.Group, Env: o.Infra.Env, Log: log.Name(), Hosts: []HostResult{}}
	start := time.Now()
	t := teller{out: out, progress: o.Progress, began: map[string]string{}, told: map[string]bool{}, lost: map[string]line{}}
	err = runPlaybook(ctx, o, files, log, t.event)
	t.unfinished(ctx.Err() != nil)
	t.unreachable()
	out.Seconds = time.Since(start).Seconds()
	out.LeftOut = !out.Monitored && len(o.Infra.monitoring()) > 0
	var silent []string // which no success of the whole run can stand for
	for _, h := range chosen {
		if !slices.ContainsFunc(out.Hosts, func(r HostResult) bool { return r.Host == h }) {
			out.Untouched = append(out.Untouched, h)
		}
		if !t.told[stageDeploy+" "+h] {
			silent = append(silent, h)
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
	case err == nil && len(silent) > 0:
		err = &hostError{ErrFailed, fmt.Sprintf("%s: Ansible ended well and says nothing of %s: see %s", strings.TrimSpace(p.Name+" "+p.Version.Label), strings.Join(silent, " "), out.Log)}
	}
	return out, err
}

// teller turns the callback's lines into results and progress.
type teller struct {
	out      *Outcome
	progress func(Event)
	began    map[string]string // host → the stage that does something there; it may have ended since
	told     map[string]bool   // plays and hosts that have a result
	lost     map[string]line   // play and host → the task that could not reach it
}

func (t *teller) event(l line) {
	switch {
	case l.Play == stageLease && l.Event == "failed":
		t.result("Prepare", reported(l))
	case l.Play == stageLease: // what is good there, or lost, Prepare tells too
	case l.Event == "play":
		t.tell(Event{Stage: l.Play})
		if l.Play == "Monitoring" {
			t.out.Monitored = true
		}
	case l.Event == "no-hosts" && l.Play == "Monitoring":
		t.out.Monitored = false
		t.tell(Event{Stage: l.Play, Empty: true})
	case l.Task != "" && ofProxies(l):
	case l.Event == "start" && l.Play == "Prepare":
		if strings.Contains(l.Task, "deploy.before") {
			t.began[l.Host] = l.Play
		}
	case l.Event == "start" && l.Play == stageDeploy:
		t.began[l.Host] = l.Play
		t.tell(Event{Stage: l.Play, Host: l.Host, Started: true})
	case l.Event == "skipped": // in Deploy a proxy has refused one of its batch; in Prepare no host will change
		delete(t.began, l.Host)
	case l.Event == "step":
		t.tell(Event{Stage: stageDeploy, Host: l.Host, Step: l.Step})
	case l.Event == "unreachable":
		t.lost[l.Play+" "+l.Host] = l
	case l.Event == "ok" && l.Play == "Prepare":
		if strings.Contains(l.Task, "deploy.before") { // under --check it is ready, and has not run
			delete(t.began, l.Host)
		}
		if r := reported(l); r.Result == Ran {
			t.tell(Event{Stage: l.Play, Host: l.Host, Result: r})
		}
	case l.Event == "failed", l.Event == "ok" && l.Play == stageDeploy:
		t.result(l.Play, reported(l))
	}
}

// unfinished gives a result to the hosts that are in the middle of it when Ansible has
// ended. What an interrupted Ansible says of a connection is its own end, not the host's.
func (t *teller) unfinished(interrupted bool) {
	for _, host := range slices.Sorted(maps.Keys(t.began)) {
		place := t.began[host] + " " + host
		if _, lost := t.lost[place]; t.told[place] || lost && !interrupted {
			continue
		}
		delete(t.lost, place)
		reason := "under way when kinectl lost sight of it: the host finishes it alone, or goes back by itself; `kinectl status` tells which"
		if t.began[host] != stageDeploy {
			reason = "deploy.before was under way when kinectl lost sight of it, and goes on alone; nothing else was done"
		}
		t.result(t.began[host], HostResult{Host: host, Result: Unfinished, Reason: reason})
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
		if l.Play == "Prepare" && !strings.Contains(l.Task, "deploy.before") {
			t.out.lost = append(t.out.lost, l.Host)
		}
		t.result(l.Play, HostResult{Host: l.Host, Result: Unreachable, Reason: message(l)})
	}
}

func (t *teller) result(stage string, r HostResult) {
	t.out.stopped = t.out.stopped || stage == stageDeploy && !r.Result.Good()
	if stage == stageDeploy && t.told[stage+" "+r.Host] {
		t.out.spoil(r)
	} else {
		t.out.Hosts = append(t.out.Hosts, r)
	}
	t.told[stage+" "+r.Host] = true
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
		Results      []struct{ Msg string } // of a loop
	}
	_ = json.Unmarshal(l.Result, &m)
	if len(m.Results) > 0 {
		m.Msg = ""
	}
	for _, each := range m.Results {
		m.Msg += each.Msg + " "
	}
	return strings.Join(strings.Fields(strings.Join([]string{m.Msg, m.ModuleStderr, m.Stdout, m.Stderr}, " ")), " ")
}
