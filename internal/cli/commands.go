package cli

import (
	"io"

	"github.com/spf13/cobra"
)

// Commands returns the tree of verbs with their flags and help, for programs
// that document it. Nothing of it is to be run.
func Commands() *cobra.Command {
	a := &app{stdout: io.Discard, stderr: io.Discard}
	root := a.rootCommand()
	root.InitDefaultCompletionCmd()
	return root
}
