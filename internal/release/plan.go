package release

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/render/ansible"
	"github.com/kinectl/kinectl/internal/repo/debfile"
	"github.com/kinectl/kinectl/internal/version"
)

// Planned is the result of a host that could answer a preview; the others are
// Locked, Unreachable and Failed.
const Planned Result = "planned"

// Preview is what a deploy would change.
type Preview struct {
	Service string        `json:"service"`
	Version string        `json:"version"`
	Group   string        `json:"group"`
	Env     string        `json:"env"`
	Hosts   []HostPreview `json:"hosts"` // in the inventory's order

	Serial    []string `json:"serial"`
	Capacity  int      `json:"capacity"`         // hosts of the group
	AtOnce    int      `json:"at_once"`          // most of them that are out of service at the same time
	Drain     float64  `json:"drain"`            // seconds out of traffic before a restart
	Before    bool     `json:"before"`           // deploy.before runs, on the first host
	OnFailure string   `json:"on_failure"`       // stop or revert
	Timers    []string `json:"timers,omitempty"` // tasks that the version has
	Ansible   string   `json:"-"`                // file with Ansible's own output
}

// HostPreview is what would change on one host.
type HostPreview struct {
	Host    string `json:"host"`
	From    string `json:"from"` // version that is installed; empty when none
	To      string `json:"to"`
	Result  Result `json:"result"`  // planned; or why nothing can be said: locked, unreachable, failed
	Changes bool   `json:"changes"` // a deploy would do something here
	Restart Effect `json:"restart"`
	Reason  string `json:"reason,omitempty"` // why a deploy would not begin
	Diffs   []Diff `json:"diffs,omitempty"`
}

// Diff is a text of the host that would change: a unit by its name, or the
// environment file, in which secrets show only as that.
type Diff struct {
	File string `json:"file"`
	Text string `json:"text"` // lines that go begin with "-", those that come with "+"
}

// Effect is what becomes of a service's process.
type Effect string

// The ways in which a release begins to work. An overlap takes nothing out of
// service: the new version answers before the old one ends.
const (
	NoEffect Effect = "none"
	Starts   Effect = "start"
	Restarts Effect = "restart"
	Overlaps Effect = "overlap"
)

// PreviewOf asks every host of the group what a version would change there, by
// the version's own spec and units. It changes nothing and takes no lock. Hosts
// that do not answer are in the Preview with the reason. serial, when it is not
// empty, takes the place of the spec's.
func PreviewOf(ctx context.Context, o Options, group, name string, v version.Version, serial []string) (*Preview, plan.Plan, error) {
	units := map[string]string{}
	p, err := published(ctx, o.Infra, group, name, v, func(d *debfile.Package) (err error) {
		units, err = unitsOf(ctx, d)
		return err
	})
	if err != nil {
		return nil, p, err
	}
	if len(serial) > 0 {
		p.Deploy.Serial = serial
	}
	hosts, err := o.Infra.Hosts(p.Group)
	if err != nil {
		return nil, p, err
	}
	if err := o.Infra.ready(hosts, p); err != nil {
		return nil, p, err
	}
	log, err := o.openLog(ofLook, p)
	if err != nil {
		return nil, p, err
	}
	defer log.Close()
	out := &Preview{Service: p.Name, Version: p.Version.Label, Group: p.Group, Env: o.Infra.Env, Capacity: len(hosts), Ansible: log.Name()}
	err = runPlaybook(ctx, o, ansible.Preview(o.Infra.withSecrets(hosts, p)), log, func(l line) {
		if l.Event == "ok" || l.Event == "failed" || l.Event == "unreachable" {
			out.Hosts = append(out.Hosts, previewed(p, units, l))
		}
	})
	if err != nil && !errors.Is(err, errHosts) {
		return nil, p, err
	}
	if len(out.Hosts) == 0 {
		return nil, p, fmt.Errorf("no host answered: see %s", log.Name())
	}
	slices.SortStableFunc(out.Hosts, func(a, b HostPreview) int {
		return slices.Index(hosts, a.Host) - slices.Index(hosts, b.Host)
	})
	out.settle(p)
	return out, p, nil
}

// settle fills in what holds for all hosts together.
func (v *Preview) settle(p plan.Plan) {
	v.Serial, v.Drain, v.OnFailure = p.Deploy.Serial, p.Deploy.Drain.Seconds(), p.Deploy.OnFailure
	for _, t := range p.Timers {
		v.Timers = append(v.Timers, t.Name)
	}
	var out []bool
	for _, h := range v.Hosts {
		v.Before = v.Before || h.Changes && p.Deploy.Before != nil
		out = append(out, h.Restart == Restarts)
	}
	v.AtOnce = atOnce(v.Serial, out)
}

// previewed is what one host answered.
func previewed(p plan.Plan, units map[string]string, l line) HostPreview {
	h := HostPreview{Host: l.Host, To: p.Version.Label, Restart: NoEffect}
	var said struct {
		Result      Result
		Reason      string
		From        string
		Changed     bool
		Active      string
		Units       map[string][]byte
		Environment struct{ Old, New []byte }
	}
	err := json.Unmarshal(l.Result, &said)
	switch {
	case l.Event == "unreachable":
		h.Result, h.Reason = Unreachable, message(l)
		return h
	case err != nil || said.Result == "":
		h.Result, h.Reason = Failed, message(l)
		return h
	}
	h.Result, h.Reason, h.From = said.Result, said.Reason, said.From
	h.Changes = said.Changed && h.Result != Failed
	if v, err := version.FromDeb(said.From); err == nil {
		h.From = v.Label
	}
	if !h.Changes {
		return h
	}
	switch {
	case !p.Unit.Runs():
	case said.Active != "active":
		h.Restart = Starts
	case p.Deploy.Overlap && said.Units[p.Name+".socket"] != nil && string(said.Units[p.Name+".socket"]) == units[p.Name+".socket"]:
		h.Restart = Overlaps
	default:
		h.Restart = Restarts
	}
	old := map[string]string{}
	for name, text := range said.Units {
		old[name] = string(text)
	}
	h.Diffs = diffs(old, units)
	if text := difference(string(said.Environment.Old), string(said.Environment.New)); text != "" {
		h.Diffs = append(h.Diffs, Diff{"/etc/" + p.Name + "/environment", text})
	}
	return h
}

// atOnce is how many hosts of one batch are out of service, at most. Ansible
// rounds a percentage down, to one at least, and uses the last batch size again
// until no host is left.
func atOnce(serial []string, out []bool) int {
	most := 0
	for i, left := 0, out; len(left) > 0; i++ {
		size := min(batch(serial[min(i, len(serial)-1)], len(out)), len(left))
		count := 0
		for _, is := range left[:size] {
			if is {
				count++
			}
		}
		most, left = max(most, count), left[size:]
	}
	return most
}

// batch is one size of a serial.
func batch(size string, n int) int {
	number, percent := strings.CutSuffix(size, "%")
	v, _ := strconv.Atoi(number) // as package spec has checked it
	if percent {
		v = v * n / 100
	}
	return max(v, 1)
}
