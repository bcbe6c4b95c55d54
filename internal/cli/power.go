package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/release"
)

// restartCommand is `kinectl restart`.
func (a *app) restartCommand() *cobra.Command {
	return a.powerCommand(release.DoRestart, &cobra.Command{
		Use:   "restart --infra DIR --env ENV",
		Short: "Restart a service, host by host",
		Long: `Restart the service on every host of its group, batch by batch, each judged by the
probe of the release that it has. With deploy.drain a host is out of traffic
meanwhile; with sockets and exec.type: notify no request is lost. A host that is not
healthy afterwards stops the roll. A service that was stopped stays so.`,
		Example: `  kinectl restart --infra ../infra --env production
  kinectl restart --infra ../infra --env production --limit h1`,
	})
}

// startCommand is `kinectl start`.
func (a *app) startCommand() *cobra.Command {
	return a.powerCommand(release.DoStart, &cobra.Command{
		Use:   "start --infra DIR --env ENV",
		Short: "Start a service that was stopped",
		Long: `Start the service, its sockets and its timers, now and at every boot, on every host
of its group, batch by batch, each judged by its probe.`,
		Example: `  kinectl start --infra ../infra --env production --limit h1`,
	})
}

// stopCommand is `kinectl stop`.
func (a *app) stopCommand() *cobra.Command {
	return a.powerCommand(release.DoStop, &cobra.Command{
		Use:   "stop --infra DIR --env ENV",
		Short: "Stop a service, until it is started or released again",
		Long: `Stop the service with its sockets, its timers and their tasks on every host of its
group, batch by batch; a boot does not start it. The package and the configuration
stay. 'kinectl start' and the next release start it. 'kinectl status' says who
stopped it, and when.`,
		Example: `  kinectl stop --infra ../infra --env production --limit h3`,
	})
}

// powerCommand fills in what the three have in common.
func (a *app) powerCommand(action release.Action, cmd *cobra.Command) *cobra.Command {
	var f fleet
	cmd.Args = cobra.NoArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		ctx := cmd.Context()
		p, o, _, err := f.openRoll(ctx, a)
		if err != nil {
			return err
		}
		hosts, err := a.whichHosts(p, o)
		if err != nil {
			return err
		}
		fmt.Fprintf(a.progress(), "%s %s → %s; %s at a time\n", action, p.Name, hosts, strings.Join(p.Deploy.Serial, ", then "))
		if action == release.DoStop && !f.check {
			if err := a.confirm(ctx, f.yes, "Stop "+p.Name+" on "+hosts+"?"); err != nil {
				return err
			}
		}
		return a.roll(ctx, o, func(o release.Options) (*release.Outcome, error) { return release.Power(ctx, o, p, action) })
	}
	f.flags(cmd)
	f.rollFlags(cmd)
	cmd.Flags().BoolVar(&f.check, "check", false, "say what would be done on each host, change nothing")
	return cmd
}

// whichHosts names the group and its hosts, for a first line or a question.
func (a *app) whichHosts(p plan.Plan, o release.Options) (string, error) {
	hosts, err := o.Infra.Hosts(p.Group)
	if err != nil {
		return "", usage(err, "service.group of the spec is an inventory group")
	}
	limit := ""
	if o.Limit != "" {
		limit = ", limited to " + o.Limit
	}
	return fmt.Sprintf("%s of %s: %s%s", p.Group, o.Infra.Env, strings.Join(hosts, " "), limit), nil
}
