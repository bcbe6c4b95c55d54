package release

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/render/ansible"
	"github.com/kinectl/kinectl/internal/version"
)

// Roll is what one run did on several hosts, as these recorded it.
type Roll struct {
	When    string       `json:"when"`    // of the first host's end, RFC 3339
	Seconds float64      `json:"seconds"` // from the first host's begin to the last one's end
	Action  string       `json:"action"`
	Version string       `json:"version"`
	From    []string     `json:"from"` // versions before, each once; "" is none
	Who     string       `json:"who"`
	Results []Result     `json:"results"` // each once, in the order of the hosts' ends
	Hosts   []HostResult `json:"hosts"`   // in the order of their ends
}

// apart is how far the ends of one roll's hosts may lie from one another where the
// hosts do not say which roll it was.
const apart = 10 * time.Minute

// History asks every host of p's group for the last lines of its history, oldest
// first. Hosts that do not answer are in lost, with the reason. The hosts keep about the last
// 4000 lines; lines must be from 1 to 9999.
func History(ctx context.Context, o Options, p plan.Plan, lines int) (all []HostResult, lost map[string]string, err error) {
	log, err := o.openLog(ofLook, p)
	if err != nil {
		return nil, nil, err
	}
	defer log.Close()
	lost = map[string]string{}
	answered := false
	err = runPlaybook(ctx, o, ansible.History(p, lines), log, func(l line) {
		switch l.Event {
		case "ok":
			answered = true
			all = append(all, pastOf(l)...)
		case "failed", "unreachable":
			lost[l.Host] = message(l)
		}
	})
	if err != nil && !errors.Is(err, errHosts) {
		return nil, nil, err
	}
	if !answered {
		return nil, nil, fmt.Errorf("no host answered: see %s", log.Name())
	}
	slices.SortStableFunc(all, func(a, b HostResult) int {
		return cmp.Or(strings.Compare(a.When, b.When), strings.Compare(a.Host, b.Host))
	})
	return all, lost, nil
}

// pastOf reads the lines of one host. A line that is none is passed over: a power
// cut may have torn it.
func pastOf(l line) []HostResult {
	var answer struct{ Lines string }
	if json.Unmarshal(l.Result, &answer) != nil {
		return nil
	}
	text, _ := base64.StdEncoding.DecodeString(answer.Lines)
	var all []HostResult
	for row := range strings.Lines(string(text)) {
		r := HostResult{}
		if json.Unmarshal([]byte(row), &r) != nil || r.Result == "" {
			continue
		}
		r.Host = l.Host
		if from, err := version.FromDeb(r.From); err == nil {
			r.From = from.Label
		}
		all = append(all, r)
	}
	return all
}

// Rolls brings the lines of many hosts together: those that one run wrote, by its
// id, and lines without one by action, version, person and time. The lines must be in the order
// of time, and so is the answer. It is a pure function.
func Rolls(lines []HostResult) []Roll {
	rolls := []Roll{}
	for _, l := range lines {
		i := slices.IndexFunc(rolls, func(r Roll) bool { return r.has(l) })
		if i < 0 {
			rolls = append(rolls, Roll{When: l.When, Action: l.Action, Version: l.Version, Who: l.Who})
			i = len(rolls) - 1
		}
		r := &rolls[i]
		r.Hosts = append(r.Hosts, l)
		if !slices.Contains(r.From, l.From) {
			r.From = append(r.From, l.From)
		}
		if !slices.Contains(r.Results, l.Result) {
			r.Results = append(r.Results, l.Result)
		}
		r.Seconds = max(r.Seconds, r.span())
	}
	return rolls
}

// has says whether a line is of the same run, and no second one of the same host.
func (r Roll) has(l HostResult) bool {
	first := r.Hosts[0]
	last := r.Hosts[len(r.Hosts)-1]
	if r.Action != l.Action || r.Version != l.Version || first.Roll != l.Roll {
		return false
	}
	if l.Roll != "" {
		return true
	}
	again := slices.ContainsFunc(r.Hosts, func(h HostResult) bool { return h.Host == l.Host })
	return !again && r.Who == l.Who && moment(l).Sub(moment(last)) <= apart
}

// span is from the earliest begin to the latest end, by the hosts' clocks.
func (r Roll) span() float64 {
	var begin, end time.Time
	for _, h := range r.Hosts {
		to := moment(h)
		from := to.Add(-time.Duration(h.Seconds * float64(time.Second)))
		if begin.IsZero() || from.Before(begin) {
			begin = from
		}
		if to.After(end) {
			end = to
		}
	}
	return end.Sub(begin).Seconds()
}

func moment(h HostResult) time.Time {
	t, _ := time.Parse(time.RFC3339, h.When)
	return t
}
