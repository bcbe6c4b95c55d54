package release

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/render/ansible"
)

// Surveyed is what all hosts of an environment say of all services there.
type Surveyed struct {
	Env      string            `json:"env"`
	Services []HostStatus      `json:"services"`              // by service, then host
	Lost     map[string]string `json:"unreachable,omitempty"` // host → why it did not answer

	used []string
}

// Survey asks every host of the environment which services were released there,
// and for the status of each. No spec is needed: the hosts know. Hosts that do not answer are
// in the answer.
func Survey(ctx context.Context, o Options) (*Surveyed, error) {
	log, err := o.openLog(ofLook, plan.Plan{Name: "status"})
	if err != nil {
		return nil, err
	}
	defer log.Close()
	all := &Surveyed{Env: o.Infra.Env, Services: []HostStatus{}, Lost: map[string]string{}}
	answered := false
	err = runPlaybook(ctx, o, ansible.Survey("all"), log, func(l line) {
		switch l.Event {
		case "ok":
			answered = true
			all.add(l)
		case "failed", "unreachable":
			all.Lost[l.Host] = message(l)
		}
	})
	if err != nil && !errors.Is(err, errHosts) {
		return nil, err
	}
	if !answered {
		return nil, fmt.Errorf("no host answered: see %s", log.Name())
	}
	slices.SortStableFunc(all.Services, func(a, b HostStatus) int {
		return cmp.Or(strings.Compare(a.Service, b.Service), strings.Compare(a.Host, b.Host))
	})
	return all, nil
}

func (s *Surveyed) add(l line) {
	var answer struct{ Services []HostStatus }
	if err := json.Unmarshal(l.Result, &answer); err != nil {
		s.Lost[l.Host] = err.Error()
		return
	}
	for _, h := range answer.Services {
		if h.Version != "" {
			s.used = append(s.used, h.Service+" "+h.Version)
		}
		for _, k := range h.Kept {
			s.used = append(s.used, h.Service+" "+k.Version)
		}
		h.Host = l.Host
		s.Services = append(s.Services, h.plain())
	}
}

// InUse are the packages that hosts run or would go back to, as `kinectl repo
// prune --in-use` reads them: "NAME VERSION", as dpkg writes versions, sorted, each
// once. The error names the hosts that did not answer: what they need is not known.
func (s *Surveyed) InUse() ([]string, error) {
	if len(s.Lost) > 0 {
		return nil, fmt.Errorf("what %s use is not known: they did not answer", strings.Join(slices.Sorted(maps.Keys(s.Lost)), " "))
	}
	return slices.Compact(slices.Sorted(slices.Values(s.used))), nil
}

// Skew says which of one service's hosts run another release than the newest that
// any host committed; nil when all run that. Hosts that do not answer, or that a release
// is under way on, are not in it.
// It is a pure function.
func Skew(hosts []HostStatus) (wanted string, others []HostStatus) {
	var last Kept
	for _, h := range hosts {
		if n := len(h.Kept); n > 0 && newer(h.Kept[n-1], last) {
			last = h.Kept[n-1]
		}
	}
	for _, h := range hosts {
		if last.Version != "" && h.Health != NotAnswering && h.Health != Changing && h.Version != last.Version {
			others = append(others, h)
		}
	}
	return last.Version, others
}
