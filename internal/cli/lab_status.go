package cli

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/lab"
)

func (a *app) labStatusCommand(name *string) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show the hosts of a lab",
		Long: `Shows every host of the lab with its address, what systemd says of it ("running",
"degraded"…, or "off"), its PID 1 on this machine and the memory that it uses, page
cache included. Exits 1 when a host is not running.`,
		Example: `  sudo kinectl lab status
  sudo kinectl lab status --name cdn --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := lab.Open(*name)
			if err != nil {
				return labError(err, *name)
			}
			hosts := l.Status(cmd.Context())
			if a.json {
				a.printJSON(map[string]any{"name": l.Name(), "infra": l.Infra(), "hosts": hosts})
			} else {
				a.showLabStatus(hosts)
			}
			for _, h := range hosts {
				if h.State != "running" {
					return exit(exitFailed)
				}
			}
			return nil
		},
	}
}

func (a *app) showLabStatus(hosts []lab.HostStatus) {
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "HOST\tADDRESS\tSTATE\tPID 1\tMEMORY")
	for _, h := range hosts {
		pid, memory := "-", "-"
		if h.Leader != 0 {
			pid, memory = fmt.Sprint(h.Leader), fmt.Sprintf("%d MiB", h.Memory>>20)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", h.Name, h.Address, h.State, pid, memory)
	}
	w.Flush()
}
