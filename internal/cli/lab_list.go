package cli

import (
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/lab"
)

// labListed is a lab as `kinectl lab list` shows it.
type labListed struct {
	Name    string     `json:"name"`
	Up      bool       `json:"up"`                // its start has ended
	Created *time.Time `json:"created,omitempty"` // when it was started first
	Infra   string     `json:"infra,omitempty"`
	Hosts   []lab.Host `json:"hosts"`
}

func (a *app) labListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "Show the labs of this machine",
		Long: `Shows every lab of this machine, whatever its name: when it was started, and its
hosts. A start that is still going on, or was killed, is in the list too.`,
		Example: `  sudo kinectl lab list
  sudo kinectl lab list --json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			names, err := lab.List()
			if err != nil {
				return labError(err, "")
			}
			all := []labListed{}
			for _, name := range names {
				l, err := lab.Open(name)
				switch {
				case errors.Is(err, lab.ErrNoLab):
					all = append(all, labListed{Name: name, Hosts: []lab.Host{}})
				case err != nil:
					return labError(err, name)
				default:
					created := l.Created()
					all = append(all, labListed{name, true, &created, l.Infra(), l.Hosts()})
				}
			}
			if a.json {
				a.printJSON(map[string]any{"labs": all})
			} else {
				a.showLabs(all, time.Now())
			}
			return nil
		},
	}
}

func (a *app) showLabs(all []labListed, now time.Time) {
	if len(all) == 0 {
		fmt.Fprintln(a.stdout, "no lab is up; start one with: kinectl lab up")
		return
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "LAB\tSTARTED\tHOSTS")
	for _, l := range all {
		if !l.Up {
			fmt.Fprintf(w, "%s\t-\tits start goes on, or was killed; to remove it: kinectl lab down --name %[1]s\n", l.Name)
			continue
		}
		var hosts []string
		for _, h := range l.Hosts {
			if h.Leader == 0 {
				h.Name += " (off)"
			}
			hosts = append(hosts, h.Name)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", l.Name, ago(*l.Created, now), strings.Join(hosts, " "))
	}
	_ = w.Flush()
}
