package cli

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/lab"
)

func (a *app) labDownCommand(name *string) *cobra.Command {
	return &cobra.Command{
		Use:   "down",
		Short: "End a lab and remove all of it",
		Long: `Ends every process of the lab and removes its disks, mounts, network namespaces,
control groups and files. Only the base image stays, for the next lab. It also
cleans up after a start that was killed. Where there is nothing, it does nothing.`,
		Example: `  sudo kinectl lab down
  sudo kinectl lab down --name cdn`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			there, err := lab.List()
			if err != nil {
				return labError(err, *name)
			}
			if err := lab.Down(cmd.Context(), *name); err != nil {
				return labError(err, *name)
			}
			if a.json {
				a.printJSON(map[string]string{"name": *name, "state": "gone"})
				return nil
			}
			if slices.Contains(there, *name) {
				fmt.Fprintf(a.stdout, "lab %s is gone\n", *name)
			} else {
				fmt.Fprintf(a.stdout, "there was no lab %s: kinectl lab list shows those that are\n", *name)
			}
			return nil
		},
	}
}
