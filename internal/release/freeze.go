package release

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/kinectl/kinectl/internal/artifact"
	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/render/ansible"
)

// The results of a freeze and of its end.
const (
	Frozen   Result = "frozen"
	Unfrozen Result = "unfrozen"
)

// Environment stands for all services on all hosts, as what is to be frozen.
func Environment() plan.Plan { return plan.Plan{Name: ansible.Everything, Group: "all"} }

// Freeze writes down on every host of p's group that nothing of the service is to
// change there, and why; then deploy, rollback, restart, stop, start and remove are
// refused with that reason until [Unfreeze], whoever tries. A release that is under
// way is not interrupted on the host that it is at. Hosts that cannot be reached are
// in the answer; the error then wraps ErrFailed. Only p's name and group matter.
func Freeze(ctx context.Context, o Options, p plan.Plan, reason string) ([]HostResult, error) {
	return freeze(ctx, o, p, ansible.Freeze(p, reason))
}

// Unfreeze ends a freeze. A host that is not frozen stays as it is.
func Unfreeze(ctx context.Context, o Options, p plan.Plan) ([]HostResult, error) {
	return freeze(ctx, o, p, ansible.Unfreeze(p))
}

func freeze(ctx context.Context, o Options, p plan.Plan, files []artifact.File) ([]HostResult, error) {
	log, err := o.openLog(ofChange, p)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	var all []HostResult
	var bad []string
	err = runPlaybook(ctx, o, files, log, func(l line) {
		var r HostResult
		switch l.Event {
		case "ok", "failed":
			r = reported(l)
		case "unreachable":
			r = HostResult{Host: l.Host, Result: Unreachable, Reason: message(l)}
		default:
			return
		}
		if r.Result != Frozen && r.Result != Unfrozen {
			bad = append(bad, r.Host)
		}
		all = append(all, r)
	})
	if err != nil && !errors.Is(err, errHosts) {
		return all, err
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no host answered: see %s", log.Name())
	}
	if len(bad) > 0 {
		return all, &hostError{ErrFailed, "not done on " + strings.Join(bad, " ") + ": see " + log.Name()}
	}
	return all, nil
}
