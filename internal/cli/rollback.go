package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/release"
	"github.com/kinectl/kinectl/internal/version"
)

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
				return failed(err, "name a version of the package repository with --to")
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
				fmt.Fprintf(a.progress(), "%v: deploying it from the repository, with today's configuration\n", err)
				if p, err = release.PlanOf(ctx, o.Infra, here.Group, here.Name, v); err != nil {
					return unpublished(err, v)
				}
				if bad := a.permitted(p, o); bad != nil {
					return bad
				}
				run = func(o release.Options) (*release.Outcome, error) { return release.Deploy(ctx, o, p) }
			} else {
				p.Version, _ = version.FromDeb(goal.To)
				// Its own spec decides what Prometheus is told, as long as the repository has it.
				if own, err := release.PlanOf(ctx, o.Infra, here.Group, here.Name, p.Version); err == nil {
					p = own
				}
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
