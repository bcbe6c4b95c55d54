package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/release"
)

// freezeCommand is `kinectl freeze`.
func (a *app) freezeCommand() *cobra.Command {
	var f fleet
	var all bool
	var reason string
	cmd := &cobra.Command{
		Use:   "freeze --reason TEXT --infra DIR --env ENV",
		Short: "Keep releases of a service, or of an environment, off",
		Long: `Write down on every host of the service's group that nothing of it is to change, and
why. Whoever tries to deploy, roll back, restart, stop, start or remove it is
refused with the name, the time and the reason, and with exit code 4, until
"kinectl unfreeze". With --all it holds for every service on every host of the
environment. status, history, logs and plan work as always.`,
		Example: `  kinectl freeze --reason "the sale ends on Monday" --infra ../infra --env production
  kinectl freeze --all --reason "moving the racks" --infra ../infra --env production`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if strings.TrimSpace(reason) == "" {
				return usage(errors.New("--reason is missing"), "say why in one line: it is what the next one reads who wants to release")
			}
			return a.freeze(cmd.Context(), &f, all, func(ctx context.Context, o release.Options, p plan.Plan) ([]release.HostResult, error) {
				return release.Freeze(ctx, o, p, reason)
			})
		},
	}
	f.flags(cmd)
	cmd.Flags().BoolVar(&all, "all", false, "every service on every host of the environment; needs no spec")
	cmd.Flags().StringVar(&reason, "reason", "", "why, in one line")
	return cmd
}

// unfreezeCommand is `kinectl unfreeze`.
func (a *app) unfreezeCommand() *cobra.Command {
	var f fleet
	var all bool
	cmd := &cobra.Command{
		Use:   "unfreeze --infra DIR --env ENV",
		Short: "Let releases go on after a freeze",
		Long: `End what "kinectl freeze" began: of the service, or with --all of the environment.
The two are apart: ending one leaves the other.`,
		Example: `  kinectl unfreeze --infra ../infra --env production
  kinectl unfreeze --all --infra ../infra --env production`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.freeze(cmd.Context(), &f, all, release.Unfreeze)
		},
	}
	f.flags(cmd)
	cmd.Flags().BoolVar(&all, "all", false, "what was frozen with --all")
	return cmd
}

// freeze runs one of the two over the hosts and tells what each says.
func (a *app) freeze(ctx context.Context, f *fleet, all bool, run func(context.Context, release.Options, plan.Plan) ([]release.HostResult, error)) error {
	open, what := f.open, ""
	if all {
		open = f.openAll
	}
	p, o, err := open(ctx, a)
	if err != nil {
		return err
	}
	if what = p.Name; all {
		what = "everything"
	}
	hosts, err := run(ctx, o, p)
	if hosts == nil && err != nil {
		return failed(err, "")
	}
	if a.json {
		a.printJSON(map[string]any{"service": p.Name, "env": o.Infra.Env, "hosts": hosts})
	} else {
		changed := 0
		for _, h := range hosts {
			if h.Changed {
				changed++
			}
			said := string(h.Result)
			switch {
			case h.Result == release.Unfrozen && !h.Changed:
				said = "was not frozen"
			case h.Result != release.Frozen && h.Reason != "":
				said += ": " + h.Reason
			}
			fmt.Fprintf(a.stdout, "  %-11s %s\n", h.Host, printable(said))
		}
		if err == nil {
			fmt.Fprintf(a.stdout, "%s in %s: %s on %d %s\n", what, o.Infra.Env, hosts[0].Result, changed, plural(changed, "host"))
		}
	}
	if err != nil && a.json {
		return exit(exitFailed)
	}
	if err != nil {
		return failed(err, "do it again when they are back")
	}
	return nil
}

// openAll is open for a verb that is about an environment and not about a service.
func (f *fleet) openAll(ctx context.Context, _ *app) (plan.Plan, release.Options, error) {
	o, err := f.openInfra(ctx)
	return release.Environment(), o, err
}
