package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/release"
)

// removeCommand is `kinectl remove`.
func (a *app) removeCommand() *cobra.Command {
	var f fleet
	cmd := &cobra.Command{
		Use:   "remove --infra DIR --env ENV",
		Short: "Take a service off its hosts",
		Long: `Stop the service on every host of its group, purge its package and take away its
configuration, its kept releases and its history. What stays is its data in
/var/lib/NAME and the user that owns it.`,
		Example: `  kinectl remove --infra ../infra --env production --limit h3`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			p, o, _, err := f.openRoll(ctx, a)
			if err != nil {
				return err
			}
			hosts, err := a.whichHosts(p, o)
			if err != nil {
				return err
			}
			fmt.Fprintf(a.progress(), "remove %s → %s; %s at a time\n", p.Name, hosts, strings.Join(p.Deploy.Serial, ", then "))
			if !f.check {
				if err := a.confirm(ctx, f.yes, "Remove "+p.Name+" from "+hosts+"?"); err != nil {
					return err
				}
			}
			return a.roll(ctx, o, func(o release.Options) (*release.Outcome, error) { return release.Remove(ctx, o, p) })
		},
	}
	f.flags(cmd)
	f.rollFlags(cmd)
	cmd.Flags().BoolVar(&f.check, "check", false, "say what would be done on each host, change nothing")
	return cmd
}
