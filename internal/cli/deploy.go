package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/facts"
	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/release"
	"github.com/kinectl/kinectl/internal/secrets"
	"github.com/kinectl/kinectl/internal/version"
)

// deployCommand is `kinectl deploy`.
func (a *app) deployCommand() *cobra.Command {
	f := fleet{linted: true}
	var label string
	cmd := &cobra.Command{
		Use:   "deploy --version V --infra DIR --env ENV",
		Short: "Release a published version, host by host",
		Long: `Release a version that is in the package repository to the service's group, batch
by batch. Every host writes down its old state, installs, restarts and judges
its own health; one that is not healthy goes back by itself, and the roll stops
there. The version's own spec, from its package, decides how: deploy.before runs
once, on the first host, before anything changes; with deploy.on_failure: revert
the hosts that had changed go back too when the roll stops.

It asks first when its standard input is a terminal; in a pipeline nobody could
answer, and it does not. See "kinectl plan" for what would change.

Exit codes: 0 done, 1 failed, 2 wrong usage or spec, 3 rolled back, 4 locked.`,
		Example: `  kinectl deploy --version 1.2.0 --infra ../infra --env production
  kinectl deploy --version 1.2.0 --infra ../infra --env production --yes --serial 1,25%
  kinectl deploy --version 1.2.0 --infra ../infra --env production --limit h1 --check`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			here, o, batches, err := f.openRoll(ctx, a)
			if err != nil {
				return err
			}
			if err := rekeyed(f.infra); err != nil {
				return err
			}
			v, err := wantedVersion(label, f.spec)
			if err != nil {
				return err
			}
			p, err := release.PlanOf(ctx, o.Infra, here.Group, here.Name, v)
			if err != nil {
				return unpublished(err, v)
			}
			if batches != nil {
				p.Deploy.Serial = batches
			}
			if err := a.permitted(p, o); err != nil {
				return err
			}
			if err := a.announce(p, o); err != nil {
				return err
			}
			if !f.check {
				if err := a.confirm(ctx, f.yes, question("Deploy", p, o)); err != nil {
					return err
				}
			}
			return a.roll(ctx, o, func(o release.Options) (*release.Outcome, error) { return release.Deploy(ctx, o, p) })
		},
	}
	f.flags(cmd)
	f.rollFlags(cmd)
	cmd.Flags().StringVar(&label, "version", "", "version to release (default: git describe)")
	_ = cmd.RegisterFlagCompletionFunc("version", f.completeVersion)
	cmd.Flags().BoolVar(&f.check, "check", false, "say what would be done on each host, change nothing")
	return cmd
}

// unpublished says what to do about a version that cannot be read.
func unpublished(err error, v version.Version) error {
	if errors.Is(err, release.ErrNoVersion) {
		return usage(err, fmt.Sprintf("build it with `kinectl package --version %s` and add it with `kinectl repo publish`", v))
	}
	if errors.Is(err, release.ErrInventory) {
		return usage(err, "")
	}
	return failed(err, "")
}

// question names what is at stake: the environment, and how many hosts.
func question(verb string, p plan.Plan, o release.Options) string {
	where := "hosts " + o.Limit
	if hosts, err := o.Infra.Hosts(p.Group); o.Limit == "" && err == nil {
		where = fmt.Sprintf("%d %s", len(hosts), plural(len(hosts), "host"))
	}
	return fmt.Sprintf("%s %s to %s (%s)?", verb, strings.TrimSpace(p.Name+" "+p.Version.Label), o.Infra.Env, where)
}

// permitted refuses what the infra repository does not allow, before any host
// is asked. It judges the spec that the package carries.
func (a *app) permitted(p plan.Plan, o release.Options) error { return a.allowed(p, o.Infra.Dir) }

// rekeyed refuses an infra repository whose secrets may have two passwords.
func rekeyed(infra string) error {
	if secrets.Unfinished(infra) == "" {
		return nil
	}
	return usage(fmt.Errorf("a rekey of %s was interrupted: its secrets may have the old password or the new one", infra), "finish it with: kinectl vault rekey "+infra)
}

// versionHint says what to do about one that is none.
const versionHint = "a version looks like 1.2.0"

// wantedVersion is the one on the command line, or git's.
func wantedVersion(label, specFile string) (version.Version, error) {
	if label == "" {
		described, err := facts.Describe(specFile)
		if err != nil {
			return version.Version{}, usage(err, "name the version with --version")
		}
		label = described
	}
	v, err := version.Parse(label)
	if err != nil {
		return v, usage(err, versionHint)
	}
	return v, nil
}

// announce is the first line: what goes where.
func (a *app) announce(p plan.Plan, o release.Options) error {
	hosts, err := o.Infra.Hosts(p.Group)
	if err != nil {
		return usage(err, "service.group of the spec is an inventory group")
	}
	limit := ""
	if o.Limit != "" {
		limit = ", limited to " + o.Limit
	}
	fmt.Fprintf(a.progress(), "%s %s → %s of %s: %s%s; %s at a time\n", p.Name, p.Version, p.Group, o.Infra.Env,
		strings.Join(hosts, " "), limit, strings.Join(p.Deploy.Serial, ", then "))
	return nil
}
