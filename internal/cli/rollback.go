package cli

import (
	"context"
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
rolled back is never chosen. --to names a version; if the hosts have not kept it,
it is deployed from the package repository with today's configuration.

The steps of a canary are left out: of several batches of deploy.serial the last
counts. --check says what each host would go back to. It never asks.`,
		Example: `  kinectl rollback --infra ../infra --env production
  kinectl rollback --infra ../infra --env production --check
  kinectl rollback --infra ../infra --env production --to 1.1.0`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			here, o, err := f.open(ctx, a)
			if err != nil {
				return err
			}
			batches, err := f.batches()
			if err != nil {
				return err
			}
			hosts, err := release.Status(ctx, o, here)
			if err != nil {
				return failed(err, "")
			}
			goal, err := choose(hosts, to)
			if err != nil && to == "" {
				return failed(err, offered(hosts, published(ctx, o, here)))
			}
			p := here
			run := func(o release.Options) (*release.Outcome, error) { return release.Rollback(ctx, o, p, goal) }
			if err != nil { // not kept everywhere: from the repository
				if bad := rekeyed(f.infra); bad != nil {
					return bad
				}
				v, bad := wantedVersion(to, f.spec)
				if bad != nil {
					return bad
				}
				if p, bad = release.PlanOf(ctx, o.Infra, here.Group, here.Name, v); bad != nil {
					return unpublished(bad, v)
				}
				if bad := a.permitted(p, o); bad != nil {
					return bad
				}
				fmt.Fprintf(a.progress(), "%v: deploying it from the repository, with today's configuration\n", err)
				run = func(o release.Options) (*release.Outcome, error) { return release.Deploy(ctx, o, p) }
			} else {
				p.Version, _ = version.FromDeb(goal.To)
				// Its own spec decides what Prometheus is told, as long as the repository has it.
				soon, cancel := context.WithTimeout(ctx, repositoryWait)
				if own, err := release.PlanOf(soon, o.Infra, here.Group, here.Name, p.Version); err == nil {
					p = own
				}
				cancel()
				if goal.To == goal.From {
					fmt.Fprintf(a.progress(), "%s stays %s and goes back to the configuration before\n", p.Name, goal.To)
				}
			}
			p.Deploy.Serial = p.Deploy.Serial[len(p.Deploy.Serial)-1:]
			if batches != nil {
				p.Deploy.Serial = batches
			}
			if err := a.announce(p, o); err != nil {
				return err
			}
			return a.roll(ctx, o, run)
		},
	}
	f.flags(cmd)
	f.rollFlags(cmd)
	cmd.Flags().BoolVar(&f.check, "check", false, "say what would be done on each host, change nothing")
	cmd.Flags().StringVar(&to, "to", "", "version to go back to (default: the release before)")
	return cmd
}

// choose finds the kept releases to go back to.
func choose(hosts []release.HostStatus, to string) (release.Goal, error) {
	if to == "" {
		return release.Previous(hosts)
	}
	v, err := version.Parse(to)
	if err != nil {
		return release.Goal{}, err
	}
	return release.To(hosts, v.Deb)
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
