package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/release"
)

// planCommand is `kinectl plan`.
func (a *app) planCommand() *cobra.Command {
	f := fleet{linted: true}
	var label string
	cmd := &cobra.Command{
		Use:   "plan --version V --infra DIR --env ENV",
		Short: "Show what a deploy would change, host by host",
		Long: `Ask every host of the service's group what a deploy of a published version would
change there: the version, its units, its environment, and whether the service
restarts. Nothing changes and nothing is locked. Secrets stay on the hosts: what
is encrypted, named like a secret or the password of an address shows as
(secret), or (another secret) when it changes.

Exit codes: 0 nothing would change, 5 something would; 1 a host cannot say,
2 wrong usage or spec, 4 a host is locked.`,
		Example: `  kinectl plan --version 1.2.0 --infra ../infra --env production
  kinectl plan --version 1.2.0 --infra ../infra --env production --limit h1 --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			here, o, batches, err := f.openRoll(ctx, a)
			if err != nil {
				return err
			}
			v, err := wantedVersion(label, f.spec)
			if err != nil {
				return err
			}
			preview, p, err := release.PreviewOf(ctx, o, here.Group, here.Name, v, batches)
			if preview == nil && p.Name == "" {
				return unpublished(err, v)
			}
			if preview == nil {
				return a.finish(ctx, nil, err)
			}
			if err := a.permitted(p, o); err != nil {
				return err
			}
			next := f.deployCommandLine(v.Label)
			if a.json {
				a.printJSON(struct {
					*release.Preview
					Command string `json:"command"`
				}{preview, next})
			} else {
				a.showPreview(preview, p, f.limit)
			}
			code := planCode(preview, f.skip)
			if code == exitChanges && !a.json {
				fmt.Fprintf(a.stdout, "To do it: %s\n", next)
			}
			if code == exitFailed && !a.json {
				return failed(fmt.Errorf("%s: not every host can say what would change", p.Name), "Ansible's output: "+preview.Ansible)
			}
			if code != exitDone {
				return exit(code)
			}
			return nil
		},
	}
	f.flags(cmd)
	cmd.Flags().StringVar(&label, "version", "", "version to plan for (default: git describe)")
	_ = cmd.RegisterFlagCompletionFunc("version", f.completeVersion)
	cmd.Flags().StringVar(&f.serial, "serial", "", `hosts at a time, instead of deploy.serial: a number, a percentage or a list like 1,25%`)
	cmd.Flags().BoolVar(&f.skip, "skip-unreachable", false, "plan without the hosts that cannot be reached")
	return cmd
}

// planCode is how a plan ends; the worst host counts.
func planCode(v *release.Preview, skip bool) int {
	code := exitDone
	skip = skip && slices.ContainsFunc(v.Hosts, func(h release.HostPreview) bool { return h.Result != release.Unreachable })
	for _, h := range v.Hosts {
		switch {
		case h.Result == release.Failed, h.Result == release.Unreachable && !skip:
			return exitFailed
		case h.Result == release.Locked:
			code = exitLocked
		case h.Changes && code == exitDone:
			code = exitChanges
		}
	}
	return code
}

// deployCommandLine is the deploy that does what was planned.
func (f *fleet) deployCommandLine(version string) string {
	words := append([]string{"kinectl", "deploy", "--version", version}, f.words()...)
	if f.serial != "" {
		words = append(words, "--serial", f.serial)
	}
	if f.skip {
		words = append(words, "--skip-unreachable")
	}
	return commandLine(words...)
}

// showPreview prints a plan for people. Hosts that would change alike share
// their lines.
func (a *app) showPreview(v *release.Preview, p plan.Plan, limit string) {
	fmt.Fprintf(a.stdout, "%s %s → %s of %s\n", v.Service, v.Version, v.Group, v.Env)
	for _, s := range alike(v.Hosts) {
		fmt.Fprintf(a.stdout, "  %s %-11s %s\n", mark(s[0]), names(s), printable(previewWords(s[0])))
		for _, d := range s[0].Diffs {
			fmt.Fprintf(a.stdout, "      %s\n", printable(d.File))
			for line := range strings.Lines(d.Text) {
				fmt.Fprintf(a.stdout, "        %s\n", a.coloured(printable(line)))
			}
		}
	}
	for _, line := range conditions(v, p) {
		fmt.Fprintln(a.stdout, "  "+line)
	}
	fmt.Fprintln(a.stdout, planCounts(v))
}

// coloured shows what goes in red and what comes in green, on a terminal.
func (a *app) coloured(line string) string {
	switch {
	case !terminal(a.stdout):
		return line
	case strings.HasPrefix(line, "-"):
		return "\x1b[31m" + line + "\x1b[0m"
	}
	return "\x1b[32m" + line + "\x1b[0m"
}
