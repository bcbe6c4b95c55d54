package cli

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/release"
)

// historyCommand is `kinectl history`.
func (a *app) historyCommand() *cobra.Command {
	var f fleet
	var host string
	count := 20
	cmd := &cobra.Command{
		Use:   "history --infra DIR --env ENV",
		Short: "Show what was released, by whom and how it ended",
		Long: `Show what the hosts of the service's group have recorded, the newest first: when,
who, what, from which version to which, how it ended and how long it took; freezes
with their reason, too. What one run did on several hosts is one line; with --host it is that host's own. Hosts that
do not answer are named, and the others shown; the exit code is 1 then.`,
		Example: `  kinectl history --infra ../infra --env production
  kinectl history --infra ../infra --env production --host h3 -n 5 --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if count < 1 || count > 9999 {
				return usage(errors.New("-n must be from 1 to 9999"), "")
			}
			if host != "" {
				f.limit = host
			}
			p, o, err := f.open(cmd.Context(), a)
			if err != nil {
				return err
			}
			lines, lost, err := release.History(cmd.Context(), o, p, count)
			if err != nil {
				return failed(err, "")
			}
			rolls := release.Rolls(lines)
			rolls = rolls[max(0, len(rolls)-count):]
			slices.Reverse(rolls)
			if a.json {
				a.printJSON(map[string]any{"service": p.Name, "group": p.Group, "env": o.Infra.Env, "rolls": rolls, "unreachable": lost})
			} else {
				a.historyTable(rolls)
				for _, h := range slices.Sorted(maps.Keys(lost)) {
					fmt.Fprintf(a.stderr, "%s: did not answer: %s\n", h, printable(lost[h]))
				}
			}
			if len(lost) > 0 {
				return exit(exitFailed)
			}
			return nil
		},
	}
	f.flags(cmd)
	cmd.Flags().StringVar(&host, "host", "", "only what this host has recorded")
	_ = cmd.RegisterFlagCompletionFunc("host", f.completeHost)
	cmd.Flags().IntVarP(&count, "lines", "n", count, "so many runs at most")
	cmd.MarkFlagsMutuallyExclusive("host", "limit")
	return cmd
}

func (a *app) historyTable(rolls []release.Roll) {
	if len(rolls) == 0 {
		fmt.Fprintln(a.stdout, "nothing was released here")
		return
	}
	t := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "WHEN\tWHAT\tRESULT\tHOSTS\tTOOK\tBY")
	for _, r := range rolls {
		row(t, r.When, what(r), ended(r), onHosts(r), fmt.Sprintf("%.1f s", r.Seconds), r.Who)
	}
	_ = t.Flush()
	for _, r := range rolls {
		for _, h := range r.Hosts {
			if h.Reason != "" && !h.Result.Good() {
				fmt.Fprintf(a.stdout, "%s %s: %s\n", printable(h.When), h.Host, printable(h.Reason))
			}
		}
	}
}

// what is the action with the versions before and after.
func what(r release.Roll) string {
	action := map[string]string{"install": "deploy", "restore": "rollback"}[r.Action]
	if r.Results[0] == release.Frozen {
		return r.Action + ": " + r.Hosts[0].Reason
	}
	if action == "" {
		return strings.TrimSpace(r.Action + " " + r.Version)
	}
	var from []string
	for _, v := range r.From {
		if v == "" {
			v = "nothing"
		}
		from = append(from, v)
	}
	if len(from) == 1 && from[0] == r.Version {
		return action + " " + r.Version + ", configuration"
	}
	return fmt.Sprintf("%s %s → %s", action, strings.Join(from, ", "), r.Version)
}

// ended are the results, with their counts where there is more than one.
func ended(r release.Roll) string {
	if len(r.Results) == 1 {
		return string(r.Results[0])
	}
	var parts []string
	for _, result := range r.Results {
		n := 0
		for _, h := range r.Hosts {
			if h.Result == result {
				n++
			}
		}
		parts = append(parts, fmt.Sprintf("%d %s", n, result))
	}
	return strings.Join(parts, ", ")
}

// onHosts names a few hosts and counts many.
func onHosts(r release.Roll) string {
	var names []string
	for _, h := range r.Hosts {
		if !slices.Contains(names, h.Host) {
			names = append(names, h.Host)
		}
	}
	if len(names) > 4 {
		return counted(len(names), "host")
	}
	return strings.Join(names, " ")
}
