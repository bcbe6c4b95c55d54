package release

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/render/ansible"
)

// HostStatus is what one host says of one service.
type HostStatus struct {
	Host      string      `json:"host"`
	Service   string      `json:"service,omitempty"`
	Group     string      `json:"group,omitempty"` // by the spec that its package carries
	Version   string      `json:"version"`         // installed; empty when none
	Active    string      `json:"active"`          // systemd's ActiveState
	Enabled   string      `json:"enabled,omitempty"`
	Since     string      `json:"since,omitempty"`
	Health    Health      `json:"health"`
	Reason    string      `json:"reason,omitempty"`    // why it is not healthy; of one that changes, who is at it
	Drift     []string    `json:"drift,omitempty"`     // what no release has put there, in words; not asked of one that changes
	Conflicts []string    `json:"conflicts,omitempty"` // ports that another service has too
	Lease     string      `json:"lease,omitempty"`     // who is at work on it, since when
	Freeze    string      `json:"freeze,omitempty"`    // who forbids a change, and why
	Busy      bool        `json:"busy"`                // a release is under way
	Kept      []Kept      `json:"kept"`                // releases to go back to, oldest first; the last is the current one
	Committed *HostResult `json:"committed"`           // the line of the newest release that stayed: deployed or restored
	Last      *HostResult `json:"last"`                // the newest line of the host's history, but for freezes
}

// Kept is a release that a host has kept with its package and environment.
type Kept struct {
	Release int    `json:"release"`
	Version string `json:"version"`
	Digest  string `json:"digest"`
	When    int64  `json:"when"` // seconds since 1970, by the host's clock
	// Configuration is the state of the inventory that it is of; empty when that is
	// not known.
	Configuration string `json:"configuration,omitempty"`
}

// Health is the judgement of one host at one moment.
type Health string

// The states of health. Missing means that the service is not installed.
const (
	Healthy      Health = "healthy"
	Sick         Health = "sick"
	Missing      Health = "none"
	Changing     Health = "changing" // a release is under way, and nothing is judged
	StoppedThere Health = "stopped"  // with `kinectl stop`
	NotAnswering Health = "unreachable"
)

// plain is s with the versions as they are without a distribution's mark.
func (s HostStatus) plain() HostStatus {
	s.Version = canonical(s.Version)
	s.Kept = slices.Clone(s.Kept)
	for i := range s.Kept {
		s.Kept[i].Version = canonical(s.Kept[i].Version)
	}
	return s
}

// Status asks every host of p's group what it runs. Hosts that cannot be
// reached are in the answer, with the reason. Only p's name and group matter.
func Status(ctx context.Context, o Options, p plan.Plan) ([]HostStatus, error) {
	hosts, err := o.Infra.Hosts(p.Group)
	if err != nil {
		return nil, err
	}
	log, err := o.openLog(ofLook, p)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	var all []HostStatus
	err = runPlaybook(ctx, o, ansible.Status(p), log, func(l line) {
		s := HostStatus{}
		switch l.Event {
		case "ok":
			if err := json.Unmarshal(l.Result, &s); err != nil {
				s = HostStatus{Health: NotAnswering, Reason: err.Error()}
			}
		case "failed", "unreachable":
			s = HostStatus{Health: NotAnswering, Reason: message(l)}
		default:
			return
		}
		s.Host = l.Host
		all = append(all, s.plain())
	})
	if err != nil && !errors.Is(err, errHosts) {
		return nil, err
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no host answered: see %s", log.Name())
	}
	slices.SortStableFunc(all, func(a, b HostStatus) int {
		return slices.Index(hosts, a.Host) - slices.Index(hosts, b.Host)
	})
	return all, nil
}
