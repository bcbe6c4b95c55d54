package cli

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/release"
)

// statusCommand is `kinectl status`.
func (a *app) statusCommand() *cobra.Command {
	var f fleet
	cmd := &cobra.Command{
		Use:   "status --infra DIR --env ENV",
		Short: "Show which version each host runs, and its health",
		Long: `Ask every host of the service's group what it runs, probe it there, and show the
last release that it recorded. Hosts that do not answer are in the table too.
Exit code 1 when a host is not healthy.`,
		Example: `  kinectl status --infra ../infra --env production
  kinectl status --infra ../infra --env production --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, o, err := f.open(cmd.Context(), a)
			if err != nil {
				return err
			}
			hosts, err := release.Status(cmd.Context(), o, p)
			if err != nil {
				return failed(err, "")
			}
			if a.json {
				a.printJSON(map[string]any{"service": p.Name, "group": p.Group, "env": o.Infra.Env, "hosts": hosts})
			} else {
				a.statusTable(p.Name, hosts)
			}
			for _, h := range hosts {
				if h.Health != release.Healthy {
					return exit(exitFailed)
				}
			}
			return nil
		},
	}
	f.flags(cmd)
	return cmd
}

func (a *app) statusTable(name string, hosts []release.HostStatus) {
	t := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "HOST\t%s\tHEALTH\tLAST RELEASE\tBY\n", "VERSION")
	for _, h := range hosts {
		version, health := h.Version, string(h.Health)
		switch {
		case h.Health == release.NotAnswering:
			version = "?"
		case version == "":
			version = "not installed"
		}
		last, who := "-", "-"
		if h.Last != nil {
			last = fmt.Sprintf("%s %s %s", h.Last.When, h.Last.Version, h.Last.Result)
			who = h.Last.Who
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", h.Host, version, health, last, who)
	}
	_ = t.Flush()
	for _, h := range hosts {
		if h.Reason != "" && h.Health != release.Healthy {
			fmt.Fprintf(a.stdout, "%s: %s\n", h.Host, h.Reason)
		}
	}
}
