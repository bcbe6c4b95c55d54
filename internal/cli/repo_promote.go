package cli

import (
	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/repo"
)

func (a *app) repoPromoteCommand() *cobra.Command {
	var flags repoFlags
	var from string
	cmd := &cobra.Command{
		Use:   "promote REPO NAME[=VERSION]...",
		Short: "Bring versions from one suite into the next",
		Long: `Brings packages from the suite --from into the suite --to, as they are: the very
files that were tested, nothing is built again. NAME alone means its newest version
there; VERSION is the package's own or the one that kinectl made it from.`,
		Example: `  kinectl repo promote /srv/repository hello=1.2.0
  kinectl repo promote /srv/repository --from testing --to stable hello worker`,
		Args: cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			options, err := flags.options()
			if err != nil {
				return err
			}
			packages, err := repo.Promote(cmd.Context(), args[0], from, args[1:], options)
			if err != nil {
				return repoError(err, args[0])
			}
			a.showPublished("promoted", flags.suite, packages)
			return nil
		},
	}
	cmd.Flags().StringVar(&from, "from", "testing", "suite that has the versions")
	cmd.Flags().StringVar(&flags.suite, "to", repo.DefaultSuite, "suite that gets them")
	flags.addKey(cmd)
	return cmd
}
