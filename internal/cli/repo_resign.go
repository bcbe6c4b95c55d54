package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/repo"
)

func (a *app) repoResignCommand() *cobra.Command {
	var flags repoFlags
	var validFor age
	cmd := &cobra.Command{
		Use:   "resign REPO",
		Short: "Date and sign the suites anew",
		Long: `Signs every suite, or --suite, with the same packages and a new date. A repository
made with --valid-for needs it from time to time: run it daily by a timer. It also
mends what a killed process left half-way.`,
		Example: `  kinectl repo resign /srv/repository
  kinectl repo resign /srv/repository --valid-for 14d`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			options, err := flags.options()
			if err != nil {
				return err
			}
			o := repo.ResignOptions{Options: options}
			if cmd.Flags().Changed("valid-for") {
				d := time.Duration(validFor)
				o.ValidFor = &d
			}
			resigned, err := repo.Resign(cmd.Context(), args[0], o)
			if err != nil {
				return repoError(err, args[0])
			}
			if a.json {
				a.printJSON(map[string]any{"suites": resigned})
				return nil
			}
			for _, r := range resigned {
				until := "for ever"
				if !r.ValidUntil.IsZero() {
					until = "until " + r.ValidUntil.Format(time.RFC3339)
				}
				fmt.Fprintf(a.stdout, "signed %s, valid %s\n", r.Suite, until)
			}
			return nil
		},
	}
	flags.add(cmd, "", "only this suite (default every suite)")
	cmd.Flags().Var(&validFor, "valid-for", "from now on, how long hosts believe a suite that is not signed anew; 0 for ever (default as before)")
	return cmd
}
