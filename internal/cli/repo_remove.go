package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/repo"
)

func (a *app) repoRemoveCommand() *cobra.Command {
	var flags repoFlags
	cmd := &cobra.Command{
		Use:   "remove REPO NAME=VERSION...",
		Short: "Take versions out of a suite",
		Long: `Takes versions out of a suite of REPO: no client finds them any more after its next
refresh. The files stay for another day, for clients that have the lists of before,
and go with a later change. Hosts that run a version keep it.`,
		Example: `  kinectl repo remove /srv/repository hello=1.2.0
  kinectl repo remove /srv/repository --suite testing hello=1.2.0-rc1`,
		Args: cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			options, err := flags.options()
			if err != nil {
				return err
			}
			removed, err := repo.Remove(cmd.Context(), args[0], args[1:], options)
			if err != nil {
				return repoError(err, args[0])
			}
			if a.json {
				a.printJSON(map[string]any{"suite": flags.suite, "removed": removed})
				return nil
			}
			for _, e := range removed {
				fmt.Fprintf(a.stdout, "removed %s %s %s from %s\n", e.Name, e.Version, e.Architecture, flags.suite)
			}
			return nil
		},
	}
	flags.add(cmd, repo.DefaultSuite, "suite of the repository")
	return cmd
}
