package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/release"
)

// statusCommand is `kinectl status`.
func (a *app) statusCommand() *cobra.Command {
	var f fleet
	var every, inUse bool
	cmd := &cobra.Command{
		Use:   "status --infra DIR --env ENV",
		Short: "Show which version each host runs, its health, and what has drifted",
		Long: `Ask every host of the service's group what it runs, probe it there, and compare what
is installed with what was deployed: package files, units, the environment, the
version and its pin. It tells which hosts are on another version than the newest
release, which ports two services of a host share, who is at work there and who has
frozen it, and the last change that the host recorded: its history has more. Hosts that
do not answer are in the table too.

A host on which a release is under way is 'changing': nothing is judged there, and the
line below the table says who is at it.

Exit code 1 when a host is not healthy (a service that was stopped is not, nor one that
is changing), has drifted, shares a port or is on another version.

With --all it does so for every service that was released on any host of the
environment, and needs no spec. --in-use prints the packages that hosts run or would
go back to, for 'kinectl repo prune --in-use'; it fails when a host does not answer.`,
		Example: `  kinectl status --infra ../infra --env production
  kinectl status --infra ../infra --env production --json
  kinectl status --infra ../infra --env production --all
  kinectl status --infra ../infra --env production --in-use >in-use`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if every || inUse {
				return a.survey(cmd, &f, inUse)
			}
			p, o, err := f.open(cmd.Context(), a)
			if err != nil {
				return err
			}
			hosts, err := release.Status(cmd.Context(), o, p)
			if err != nil {
				return failed(err, "")
			}
			wanted, others := release.Skew(hosts)
			if a.json {
				a.printJSON(map[string]any{
					"service": p.Name, "group": p.Group, "env": o.Infra.Env, "hosts": hosts,
					"wanted": wanted, "skew": hostNames(others),
				})
			} else {
				a.statusTable(hosts, false)
				a.statusDetails(hosts)
			}
			if !fine(hosts) || len(others) > 0 {
				return exit(exitFailed)
			}
			return nil
		},
	}
	f.flags(cmd)
	cmd.Flags().BoolVar(&every, "all", false, "every service of every host; no spec is read")
	cmd.Flags().BoolVar(&inUse, "in-use", false, "print the packages that hosts need, for repo prune")
	cmd.MarkFlagsMutuallyExclusive("all", "in-use")
	cmd.MarkFlagsMutuallyExclusive("limit", "in-use") // what the other hosts need would be pruned
	return cmd
}

// survey is status without a spec.
func (a *app) survey(cmd *cobra.Command, f *fleet, inUse bool) error {
	o, err := f.openInfra(cmd.Context())
	if err != nil {
		return err
	}
	found, err := release.Survey(cmd.Context(), o)
	if err != nil {
		return failed(err, "")
	}
	if inUse {
		lines, err := found.InUse()
		if err != nil {
			return failed(err, "a version that is pruned is gone: repeat it when all hosts answer")
		}
		if a.json {
			a.printJSON(map[string]any{"env": found.Env, "packages": lines})
			return nil
		}
		for _, l := range lines {
			fmt.Fprintln(a.stdout, l)
		}
		return nil
	}
	good := fine(found.Services) && len(found.Lost) == 0
	if a.json {
		a.printJSON(found)
	} else {
		a.statusTable(found.Services, true)
		byService(found.Services, a.statusDetails)
		for _, h := range slices.Sorted(maps.Keys(found.Lost)) {
			fmt.Fprintf(a.stdout, "%s: did not answer: %s\n", h, printable(found.Lost[h]))
		}
	}
	byService(found.Services, func(hosts []release.HostStatus) {
		if _, others := release.Skew(hosts); len(others) > 0 {
			good = false
		}
	})
	if !good {
		return exit(exitFailed)
	}
	return nil
}

// byService calls f for the hosts of each service; all are sorted by service.
func byService(all []release.HostStatus, f func([]release.HostStatus)) {
	for len(all) > 0 {
		n := slices.IndexFunc(all, func(h release.HostStatus) bool { return h.Service != all[0].Service })
		if n < 0 {
			n = len(all)
		}
		f(all[:n])
		all = all[n:]
	}
}

// fine says that every host is healthy and as it was deployed.
func fine(hosts []release.HostStatus) bool {
	return !slices.ContainsFunc(hosts, func(h release.HostStatus) bool {
		return h.Health != release.Healthy || len(h.Drift)+len(h.Conflicts) > 0
	})
}

func hostNames(hosts []release.HostStatus) []string {
	all := []string{}
	for _, h := range hosts {
		all = append(all, h.Host)
	}
	return all
}

func (a *app) statusTable(hosts []release.HostStatus, services bool) {
	t := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	if services {
		fmt.Fprint(t, "SERVICE\t")
	}
	fmt.Fprint(t, "HOST\tVERSION\tHEALTH\tLAST\tWHEN\tBY\n")
	for _, h := range hosts {
		version, health := h.Version, string(h.Health)
		switch {
		case h.Health == release.NotAnswering:
			version = "?"
		case version == "":
			version = "not installed"
		}
		if len(h.Drift) > 0 {
			health += ", drifted"
		}
		if len(h.Conflicts) > 0 {
			health += ", port taken"
		}
		last, when, who := "-", "-", "-"
		if h.Last != nil {
			last = h.Last.Version + " " + string(h.Last.Result)
			who = h.Last.Who
			if t, err := time.Parse(time.RFC3339, h.Last.When); err == nil {
				when = ago(t, time.Now())
			}
		}
		cells := []string{h.Host, version, health, last, when, who}
		if services {
			cells = append([]string{h.Service}, cells...)
		}
		row(t, cells...)
	}
	_ = t.Flush()
}

// statusDetails are the lines below the table: what is not as it should be.
func (a *app) statusDetails(hosts []release.HostStatus) {
	for _, h := range hosts {
		say := func(what string) { fmt.Fprintf(a.stdout, "%s: %s\n", h.Host, printable(what)) }
		if h.Reason != "" && h.Health != release.Healthy && h.Health != release.Changing {
			say(h.Reason)
		}
		for _, d := range h.Drift {
			say("drift: " + d)
		}
		for _, c := range h.Conflicts {
			say(c)
		}
		if h.Health == release.Changing {
			say("at work: " + h.Reason)
		} else if h.Lease != "" {
			say("at work: " + h.Lease)
		}
		if h.Freeze != "" {
			say(h.Freeze)
		}
	}
	if wanted, others := release.Skew(hosts); len(others) > 0 {
		service := ""
		if hosts[0].Service != "" {
			service = hosts[0].Service + ": "
		}
		fmt.Fprintf(a.stdout, "%sthe newest release is %s; not on it: %s\n", printable(service), printable(wanted), strings.Join(hostNames(others), " "))
	}
}
