package release

import (
	"context"
	"fmt"

	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/render/ansible"
)

// Action is what [Power] does to a service.
type Action string

// The actions. Each is done to the units of the release that a host has, with the
// probe and the drain of that release.
const (
	// DoRestart starts the service again and judges it, side by side with the one that
	// runs where the spec allows that. One that was stopped stays so.
	DoRestart Action = "restart"
	// DoStart opens sockets, starts service and timers, now and at every boot.
	DoStart Action = "start"
	// DoStop ends service, sockets, timers and their tasks, until DoStart or a release.
	DoStop Action = "stop"
)

// Power does action on p's group, under the lock and in the batches of a
// release. Only p's name, group and batches matter. The Outcome is set also when
// a host failed, as with [Deploy].
func Power(ctx context.Context, o Options, p plan.Plan, action Action) (*Outcome, error) {
	switch action {
	case DoRestart, DoStart, DoStop:
	default:
		return nil, fmt.Errorf("no such action: %q", action)
	}
	out, err := roll(ctx, o, p, ansible.Power(p, string(action)))
	if out != nil {
		out.Action = action
	}
	return out, err
}
