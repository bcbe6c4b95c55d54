package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/release"
	"github.com/kinectl/kinectl/internal/version"
)

// repositoryWait is how long a rollback that needs no package waits for the
// repository: it is as urgent where that is down.
const repositoryWait = 10 * time.Second

// rollbackCommand is `kinectl rollback`.
func (a *app) rollbackCommand() *cobra.Command {
	var f fleet
	var to string
	cmd := &cobra.Command{
		Use:   "rollback --infra DIR --env ENV",
		Short: "Go back to the release before",
		Long: `Take the service's group back to its last good release: package, configuration and
probe, all from what the hosts have kept on their own disks. A release that was
rolled back is never chosen. Where hosts differ, what most of them had before counts,
and a host that has not kept it goes back to its own. One that had none before, since
it was added later, gets the version from the package repository, after the others. A
rollback that has not come to every host is finished first. --to names a version; if
no host has kept it, it is deployed from the repository with today's configuration.

The steps of a canary are left out: of several batches of deploy.serial the last
counts. --check says what each host would go back to. It never asks a person.`,
		Example: `  kinectl rollback --infra ../infra --env production
  kinectl rollback --infra ../infra --env production --check
  kinectl rollback --infra ../infra --env production --to 1.1.0`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			var wanted version.Version
			if to != "" {
				v, err := version.Parse(to)
				if err != nil {
					return usage(err, versionHint)
				}
				wanted = v
			}
			here, o, batches, err := f.openRoll(ctx, a)
			if err != nil {
				return err
			}
			which, err := a.whichHosts(here, o)
			if err != nil {
				return err
			}
			fmt.Fprintf(a.progress(), "%s: asking what is kept on %s\n", here.Name, which)
			hosts, err := atRest(ctx, o, here)
			if err != nil {
				return err
			}
			goal, err := choose(hosts, wanted)
			if err != nil {
				return failed(err, offered(hosts, published(ctx, o, here)))
			}
			var p plan.Plan
			run := release.Deploy
			if to != "" && nobodyKept(hosts, goal) {
				if p, err = fromRepository(ctx, o, here, goal); err != nil {
					return err
				}
				if err := a.permitted(p, o); err != nil {
					return err
				}
				fmt.Fprintf(a.progress(), "%s: deploying it from the repository, with today's configuration\n", goal.Lacking())
			} else {
				p, run = a.fromDisks(ctx, o, here, goal)
			}
			p.Deploy.Serial = p.Deploy.Serial[len(p.Deploy.Serial)-1:]
			if batches != nil {
				p.Deploy.Serial = batches
			}
			if err := a.announce(p, o); err != nil {
				return err
			}
			return a.roll(ctx, o, func(o release.Options) (*release.Outcome, error) { return run(ctx, o, p) })
		},
	}
	f.flags(cmd)
	f.rollFlags(cmd)
	cmd.Flags().BoolVar(&f.check, "check", false, "say what would be done on each host, change nothing")
	cmd.Flags().StringVar(&to, "to", "", "version to go back to (default: the release before)")
	_ = cmd.RegisterFlagCompletionFunc("to", f.completeVersion)
	return cmd
}

// atRest asks the hosts what they have kept, when none of them is in the middle of a
// release: what it goes back from is not known before. It waits for that as long as
// --wait says.
func atRest(ctx context.Context, o release.Options, p plan.Plan) ([]release.HostStatus, error) {
	patience := time.After(o.Wait)
	for {
		hosts, err := release.Status(ctx, o, p)
		if err != nil {
			return nil, failed(err, "")
		}
		i := slices.IndexFunc(hosts, func(h release.HostStatus) bool { return h.Busy })
		if i < 0 {
			return hosts, nil
		}
		select {
		case <-ctx.Done():
			return nil, failed(errors.New("interrupted; no host was touched"), "")
		case <-patience:
			return nil, &exitError{
				code: exitLocked, err: fmt.Errorf("%s is in the middle of a release: %s", hosts[i].Host, hosts[i].Reason),
				hint: "--wait 10m tries again until it has ended",
			}
		case <-time.After(2 * time.Second):
		}
	}
}

// fromRepository is the plan of a goal that goes the way of a deploy. Whether the
// policy allows it is another question.
func fromRepository(ctx context.Context, o release.Options, here plan.Plan, goal release.Goal) (plan.Plan, error) {
	v, err := version.FromDeb(goal.To)
	if err != nil {
		return plan.Plan{}, err
	}
	if err := rekeyed(o.Infra.Dir); err != nil {
		return plan.Plan{}, err
	}
	p, err := release.PlanOf(ctx, o.Infra, here.Group, here.Name, v)
	if err != nil {
		return plan.Plan{}, unpublished(err, v)
	}
	return p, nil
}

// fromDisks is the plan and the run of a goal that hosts have kept. The version's
// own spec decides what Prometheus is told, as long as the repository has it; a
// host that lacks the goal, one that was added since, gets it from there.
func (a *app) fromDisks(ctx context.Context, o release.Options, here plan.Plan, goal release.Goal) (plan.Plan, rollFunc) {
	soon, cancel := context.WithTimeout(ctx, repositoryWait)
	defer cancel()
	p := here
	p.Version, _ = version.FromDeb(goal.To)
	if goal.To == goal.From {
		fmt.Fprintf(a.progress(), "%s stays %s and goes back to the configuration before\n", p.Name, goal.To)
	}
	if len(goal.Own) > 0 {
		fmt.Fprintf(a.progress(), "%s is not kept on %s: back to what was there before\n", goal.To, strings.Join(goal.Own, " "))
	}
	if len(goal.Lack) == 0 {
		if own, err := release.PlanOf(soon, o.Infra, here.Group, here.Name, p.Version); err == nil {
			p = own
		}
	} else if own, err := fromRepository(soon, o, here, goal); err != nil {
		goal.NoPackage = err
	} else if err := forbidden(own, o.Infra.Dir); err != nil {
		goal.NoPackage = err
	} else {
		p = own
		fmt.Fprintf(a.progress(), "%s: it comes from the repository there, with today's configuration, after the others\n", goal.Lacking())
	}
	return p, func(ctx context.Context, o release.Options, p plan.Plan) (*release.Outcome, error) {
		return release.Rollback(ctx, o, p, goal)
	}
}

// rollFunc is one way to bring a plan to a group.
type rollFunc func(context.Context, release.Options, plan.Plan) (*release.Outcome, error)

// nobodyKept reports whether no host that answers has kept the goal or runs it.
func nobodyKept(hosts []release.HostStatus, goal release.Goal) bool {
	return !slices.ContainsFunc(hosts, func(h release.HostStatus) bool {
		return h.Health != release.NotAnswering && !slices.Contains(goal.Lack, h.Host)
	})
}

// choose finds the kept releases to go back to: those before, where to is empty.
func choose(hosts []release.HostStatus, to version.Version) (release.Goal, error) {
	if to.Deb == "" {
		return release.Previous(hosts)
	}
	return release.To(hosts, to.Deb), nil
}

// published are the versions of a service in the package repository, the oldest
// first; none where it cannot be read.
func published(ctx context.Context, o release.Options, p plan.Plan) []string {
	packages, err := o.Infra.OpenRepository(ctx, p.Group)
	if err != nil {
		return nil
	}
	defer packages.Close()
	entries, _ := packages.Debian(ctx, p.Name)
	var versions []string
	for _, e := range entries {
		versions = append(versions, e.Version)
	}
	return versions
}

// offered is the hint where no host has a release before: which versions --to can
// take, those that hosts keep first. What all hosts run is not among them.
func offered(hosts []release.HostStatus, published []string) string {
	var kept []string
	running := map[string]int{}
	for _, h := range hosts {
		running[h.Version]++
		for _, k := range h.Kept {
			kept = append(kept, k.Version)
		}
	}
	other := func(versions []string) []string {
		var labels []string
		for _, deb := range versions {
			if v, err := version.FromDeb(deb); err == nil && running[v.Deb] < len(hosts) && !slices.Contains(labels, v.Label) {
				labels = append(labels, v.Label)
			}
		}
		return labels[max(0, len(labels)-shownVersions):]
	}
	slices.SortFunc(kept, version.CompareDeb)
	if v := other(kept); len(v) > 0 {
		return "some hosts keep " + strings.Join(v, ", ") + ": name one with --to"
	}
	if v := other(published); len(v) > 0 {
		return "the package repository has " + strings.Join(v, ", ") + ": name one with --to"
	}
	return "name a version of the package repository with --to"
}

// shownVersions is how many of the newest a hint names.
const shownVersions = 5
