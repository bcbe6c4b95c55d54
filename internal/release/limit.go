package release

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
)

// withMonitoring returns the limit with the hosts of the group monitoring that
// are not of the service's group, which are these hosts: Prometheus is told of
// all hosts, whichever are deployed. A host of both groups is deployed only when
// the limit has it. Without a limit, or such hosts, nothing changes, and a limit
// with an exclusion is left alone: it may mean them.
//
// Only Ansible knows what a pattern means, so it is asked; that takes about half
// a second. The error says that the limit leaves no host of the service.
func (o Options) withMonitoring(ctx context.Context, hosts []string) (string, error) {
	others := outside(o.Infra.monitoring(), hosts)
	if o.Limit == "" || strings.Contains(o.Limit, "!") || !o.tells || len(others) == 0 {
		return o.Limit, nil
	}
	program, err := exec.LookPath("ansible")
	if err != nil {
		return "", errors.New("ansible is not on this machine: install it with `apt-get install ansible-core`")
	}
	cmd := exec.CommandContext(ctx, program, "all", "-i", o.Infra.Inventory, "--limit", o.Limit, "--list-hosts")
	cmd.Dir = o.Infra.Dir
	var problem strings.Builder
	cmd.Stderr = &problem
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("--limit %s: %w: %s", o.Limit, err, strings.TrimSpace(problem.String()))
	}
	left := slices.DeleteFunc(slices.Clone(hosts), func(h string) bool { return !slices.Contains(strings.Fields(string(out)), h) })
	if len(left) == 0 {
		return "", fmt.Errorf("--limit %s leaves none of %s", o.Limit, strings.Join(hosts, " "))
	}
	return strings.Join(append(left, others...), ","), nil
}

// monitoring are the hosts with a Prometheus: the group of that name, or none.
func (in *Infra) monitoring() []string {
	hosts, err := in.Hosts("monitoring")
	if err != nil {
		return nil // no such group, or an empty one
	}
	return hosts
}

// outside returns those of all that are not in group.
func outside(all, group []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(h string) bool { return slices.Contains(group, h) })
}
