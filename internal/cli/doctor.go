package cli

import (
	"fmt"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/doctor"
)

// doctorCommand is `kinectl doctor`.
func (a *app) doctorCommand() *cobra.Command {
	var infra, env string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Show what is missing, and the command that mends it",
		Long: `Look at the programs of this machine; with --infra at the files of an infra
repository, the inventories of its environments and the package repository that they
name, which must answer; with --env too at every host of that environment, over ssh: that it
can be reached, that become works, where its packages come from and that it gets them, its
clock, disk and systemd.

Nothing is changed anywhere. Exit code 1 when something that is needed is missing.`,
		Example: `  kinectl doctor
  kinectl doctor --infra ../infra --env staging`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			checks := doctor.Machine()
			if infra == "" && env != "" {
				return usage(fmt.Errorf("--env is an environment of an infra repository"), "name the repository with --infra DIR")
			}
			if infra != "" {
				dir, err := filepath.Abs(infra)
				if err != nil {
					return usage(err, "")
				}
				checks = append(checks, doctor.Infra(dir)...)
				envs := inventories(dir)
				if env != "" {
					envs = []string{env}
				}
				for _, e := range envs {
					checks = append(checks, doctor.Environment(dir, e, env != ""))
				}
			}
			return a.showFound(doctor.Run(cmd.Context(), checks))
		},
	}
	cmd.Flags().StringVar(&infra, "infra", "", "infra repository to look at too")
	cmd.Flags().StringVar(&env, "env", "", "its environment, whose hosts are looked at (default: all, but not their hosts)")
	_ = cmd.MarkFlagDirname("infra")
	_ = cmd.RegisterFlagCompletionFunc("env", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return inventories(infra), cobra.ShellCompDirectiveNoFileComp
	})
	return cmd
}

func (a *app) showFound(found []doctor.Finding) error {
	if a.json {
		a.printJSON(map[string]any{"checks": found})
	} else {
		w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
		for _, f := range found {
			fmt.Fprintf(w, "%s\t%s\t%s\n", f.Level, printable(f.Check), printable(f.Detail))
			if f.Mend != "" {
				fmt.Fprintf(w, "\t\t→ %s\n", printable(f.Mend))
			}
		}
		_ = w.Flush()
	}
	if doctor.Failed(found) {
		return exit(exitFailed)
	}
	return nil
}
