package cli

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/lab"
)

// labConnectCommand is what ssh runs to reach a host; people do not need it.
func (a *app) labConnectCommand(name *string) *cobra.Command {
	return &cobra.Command{
		Use:    "connect ADDRESS PORT",
		Short:  "Connect to a host for ssh (ProxyCommand)",
		Hidden: true,
		Long: `Connects to ADDRESS and PORT inside the lab's network and passes the socket over
standard output, for ssh's ProxyCommand with ProxyUseFdpass=yes.`,
		Example: `  ssh -o ProxyUseFdpass=yes -o 'ProxyCommand=kinectl lab connect %h %p' root@198.51.100.11`,
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			port, err := strconv.Atoi(args[1])
			if err != nil || port < 1 || port > 65535 {
				return usage(fmt.Errorf("port %q: want 1 to 65535", args[1]), "")
			}
			out, ok := a.descriptor().(*os.File)
			if !ok {
				return failed(errors.New("standard output is no file"), "")
			}
			return labError(lab.Connect(cmd.Context(), *name, args[0], port, out), *name)
		},
	}
}
