package release

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
)

// selection is what a limit leaves of a run. Its fields go to the playbook as
// variables, and not as Ansible's own --limit: the lease is also taken on the hosts
// that are left out, and Prometheus is told of all.
type selection struct {
	Hosts      string `json:"kinectl_hosts"`      // that are prepared and deployed
	Lease      string `json:"kinectl_lease"`      // the first of the group, then those left out
	Monitoring string `json:"kinectl_monitoring"` // with a Prometheus
}

// ErrLimit is wrapped by errors about a limit that leaves no host of the service.
var ErrLimit = errors.New("--limit")

// understood is a limit with the hosts of the whole inventory that it has.
type understood struct {
	limit string
	hosts []string
}

// Understood is o with its limit resolved, so that a mistake in it is known before any
// host is asked. The error wraps ErrLimit when it leaves no host of the group.
func (o Options) Understood(ctx context.Context, group string) (Options, error) {
	hosts, err := o.Infra.Hosts(group)
	if err != nil || o.Limit == "" {
		return o, err
	}
	meant, err := o.matching(ctx)
	if err != nil {
		return o, err
	}
	o.understood = understood{o.Limit, meant}
	_, _, err = o.choose(ctx, group, hosts)
	return o, err
}

// nobody is a pattern of no host.
const nobody = "all:!all"

// choose says which of the group's hosts a limit means; without one it is all of
// them, and the selection is nil. Prometheus is told when that suits the whole
// group, by hosts that the limit does not have too; an exclusion in it may mean
// them, so then by those that it has.
//
// The error wraps ErrLimit when the limit leaves no host of the service.
func (o Options) choose(ctx context.Context, group string, hosts []string) ([]string, *selection, error) {
	if o.Limit == "" {
		return hosts, nil, nil
	}
	meant, err := o.matching(ctx)
	if err != nil {
		return nil, nil, err
	}
	chosen := slices.DeleteFunc(slices.Clone(hosts), func(h string) bool { return !slices.Contains(meant, h) })
	if len(chosen) == 0 {
		return nil, nil, fmt.Errorf("%w %s leaves none of %s", ErrLimit, o.Limit, strings.Join(hosts, " "))
	}
	monitoring := o.Infra.monitoring()
	if !o.tells || strings.Contains(o.Limit, "!") {
		monitoring = slices.DeleteFunc(slices.Clone(monitoring), func(h string) bool { return !slices.Contains(meant, h) })
	}
	if len(monitoring) == 0 {
		monitoring = []string{nobody}
	}
	return chosen, &selection{
		Hosts:      strings.Join(chosen, ","),
		Lease:      strings.Join(append([]string{group + "[0]"}, outside(hosts, chosen)...), ","),
		Monitoring: strings.Join(monitoring, ","),
	}, nil
}

// matching are the hosts of the whole inventory that the limit has. Plain names
// need nobody; what a pattern means only Ansible knows, which takes half a second.
func (o Options) matching(ctx context.Context) ([]string, error) {
	if o.understood.limit == o.Limit {
		return o.understood.hosts, nil
	}
	names := strings.Split(o.Limit, ",")
	all := o.Infra.All()
	unknown := slices.DeleteFunc(outside(names, all), func(name string) bool {
		_, group := o.Infra.answer.Groups[name]
		return group || strings.ContainsAny(name, "*?:!&[]~@")
	})
	switch {
	case len(outside(names, all)) == 0:
		return names, nil
	case len(unknown) > 0:
		return nil, fmt.Errorf("%w %s: %s has no host or group %s; its hosts are %s", ErrLimit, o.Limit, o.Infra.Inventory, strings.Join(unknown, ", "), strings.Join(all, " "))
	}
	program, err := ansibleProgram("ansible")
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, program, "all", "-i", o.Infra.Inventory, "--limit", o.Limit, "--list-hosts")
	cmd.Dir = o.Infra.Dir
	var problem strings.Builder
	cmd.Stderr = &problem
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%w %s: %w: %s", ErrLimit, o.Limit, err, strings.TrimSpace(problem.String()))
	}
	return strings.Fields(string(out)), nil
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
