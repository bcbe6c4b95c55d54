package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/release"
	"github.com/kinectl/kinectl/internal/version"
)

// applyCommand is `kinectl apply`.
func (a *app) applyCommand() *cobra.Command {
	var f fleet
	cmd := &cobra.Command{
		Use:   "apply --infra DIR --env ENV",
		Short: "Bring hosts what the infra repository says: roles, then services",
		Long: `Run site.yml of the infra repository over the hosts: users, ssh, firewall and all
else that the roles of their groups do. Then bring each host the services of its
groups at the versions that the other hosts of the group run: what they run, the hosts
say themselves. So a bare server that was added to a group is a member of it after one command.

A service that runs in two versions in its group is not brought: deploy one first. A
host that does not answer is named, and exit code 1 when it is one of those to be
brought something. Where nothing is missing nothing changes.`,
		Example: `  kinectl apply --infra . --env staging
  kinectl apply --infra . --env production --limit h7`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := f.openInfra(cmd.Context())
			if err != nil {
				return err
			}
			if err := rekeyed(f.infra); err != nil {
				return err
			}
			if _, err := os.Stat(filepath.Join(o.Infra.Dir, release.SitePlaybook)); err != nil {
				return usage(fmt.Errorf("there is no %s in %s", release.SitePlaybook, o.Infra.Dir), "`kinectl init --infra DIR` writes one")
			}
			if len(o.Infra.All()) == 0 {
				return usage(fmt.Errorf("the inventory %s has no host yet", o.Infra.Inventory), "put the addresses of servers into its hosts.yml")
			}
			where := "all hosts"
			if o.Limit != "" {
				where = "hosts " + o.Limit
			}
			if err := a.confirm(cmd.Context(), f.yes, fmt.Sprintf("Apply %s to %s of %s?", release.SitePlaybook, where, o.Infra.Env)); err != nil {
				return err
			}
			return a.apply(cmd.Context(), o)
		},
	}
	f.whereFlags(cmd)
	cmd.Flags().BoolVarP(&f.yes, "yes", "y", false, "do not ask, also on a terminal")
	f.waitFlag(cmd)
	return cmd
}

// applied is what --json prints.
type applied struct {
	Env      string             `json:"env"`
	Roles    []release.Roled    `json:"roles"`
	Log      string             `json:"log"`                   // Ansible's own output of the roles
	Lost     map[string]string  `json:"unreachable,omitempty"` // host of the environment → why it did not say what it runs
	Services []*release.Outcome `json:"services"`
	Error    string             `json:"error,omitempty"`
}

func (a *app) apply(ctx context.Context, o release.Options) error {
	done := applied{Env: o.Infra.Env, Services: []*release.Outcome{}}
	fmt.Fprintf(a.progress(), "Roles: Ansible's output goes to %s\n", filepath.Join(o.StateDir, "log"))
	var err error
	done.Roles, done.Log, err = release.Roles(ctx, o)
	for _, h := range done.Roles {
		fmt.Fprintf(a.progress(), "  %s  %d changed%s\n", h.Host, h.Changed, trouble(h))
		if h.Reason != "" {
			fmt.Fprintf(a.progress(), "      %s: %s\n", printable(h.Task), printable(h.Reason))
		}
	}
	if err != nil {
		return a.applyEnd(done, failed(err, "Ansible's output: "+done.Log))
	}
	everywhere := o
	everywhere.Limit = "" // the others know what the group runs
	found, err := release.Survey(ctx, everywhere)
	if err != nil {
		return a.applyEnd(done, failed(err, ""))
	}
	done.Lost = found.Lost
	for _, h := range slices.Sorted(maps.Keys(found.Lost)) {
		fmt.Fprintf(a.progress(), "  %s  did not answer; a service that nobody else runs is not brought: %s\n", h, printable(found.Lost[h]))
	}
	lacks, skew := release.Lacks(ctx, o, found)
	for _, l := range lacks {
		out, err := a.bring(ctx, o, l)
		if out != nil {
			done.Services = append(done.Services, out)
		}
		if err != nil {
			return a.applyEnd(done, err)
		}
	}
	if skew != nil {
		return a.applyEnd(done, failed(skew, "bring the group to one version with `kinectl deploy`, then apply again"))
	}
	if hosts := done.unasked(); len(hosts) > 0 {
		return a.applyEnd(done, failed(fmt.Errorf("what %s should run was not brought: no answer", strings.Join(hosts, " ")), "apply again when it answers"))
	}
	return a.applyEnd(done, nil)
}

// unasked are the hosts that the roles went over and that did not answer afterwards.
// Others may be down: only what they run is not known then.
func (d applied) unasked() []string {
	var hosts []string
	for _, h := range d.Roles {
		if _, lost := d.Lost[h.Host]; lost {
			hosts = append(hosts, h.Host)
		}
	}
	return hosts
}

// trouble is a host's failures in words.
func trouble(h release.Roled) string {
	switch {
	case h.Failed == 0 && h.Reason != "":
		return ", unreachable"
	case h.Unreachable > 0 && h.Failed == 0 && h.Changed == 0:
		return ", some task did not reach it"
	case h.Failed > 0:
		return ", failed"
	}
	return ""
}

// bring releases a service on the hosts that lack it.
func (a *app) bring(ctx context.Context, o release.Options, l release.Lack) (*release.Outcome, error) {
	v, err := version.FromDeb(l.Version)
	if err != nil {
		return nil, failed(fmt.Errorf("%s on %s: %w", l.Service, strings.Join(l.Hosts, " "), err), "")
	}
	p, err := release.PlanOf(ctx, o.Infra, l.Group, l.Service, v)
	if err != nil {
		return nil, unpublished(err, v)
	}
	o.Limit = strings.Join(l.Hosts, ",")
	check := a.permitted
	if a.json { // whose one document is that of the whole run
		check = func(p plan.Plan, o release.Options) error { return forbidden(p, o.Infra.Dir) }
	}
	if err := check(p, o); err != nil {
		return nil, err
	}
	if err := a.announce(p, o); err != nil {
		return nil, err
	}
	n := newNarrator(a.progress())
	o.Progress = n.event
	out, err := release.Deploy(ctx, o, p)
	n.clear()
	if err == nil {
		return out, nil
	}
	if out == nil {
		return nil, failed(err, "")
	}
	return out, &exitError{code: outcomeCode(err), err: err, hint: "Ansible's output: " + out.Log}
}

func (a *app) applyEnd(done applied, err error) error {
	if a.json {
		code := exitDone
		if e := (*exitError)(nil); errors.As(err, &e) {
			code = e.code
			done.Error = e.Error()
		}
		a.printJSON(done)
		if code != exitDone {
			return exit(code)
		}
		return nil
	}
	if err == nil {
		changed := 0
		for _, h := range done.Roles {
			changed += h.Changed
		}
		fmt.Fprintf(a.stdout, "applied: %d %s, %d changed by roles, %d %s brought\n",
			len(done.Roles), plural(len(done.Roles), "host"), changed, len(done.Services), plural(len(done.Services), "service"))
	}
	return err
}
