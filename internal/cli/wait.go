package cli

import "github.com/spf13/cobra"

// waitFlag adds --wait to a verb that takes the lease. A run that is refused has
// changed nothing, so it can simply be tried again.
func (f *fleet) waitFlag(cmd *cobra.Command) {
	cmd.Flags().DurationVar(&f.wait, "wait", 0, "while another release, or a freeze, is in the way: try again for so long, like 10m")
}
