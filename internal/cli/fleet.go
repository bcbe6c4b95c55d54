package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/release"
	"github.com/kinectl/kinectl/internal/spec"
)

// fleet is what the verbs that touch hosts have in common: which service,
// which environment, which hosts.
type fleet struct {
	spec, infra, env, limit string
	check                   bool
	linted                  bool   // the spec in the checkout must pass lint
	yes                     bool   // do not ask
	serial                  string // in the place of the spec's
	skip                    bool   // go on without hosts that cannot be reached
	wait                    time.Duration
}

// The variables of this process's environment that name what the flags of the
// same names do not.
const (
	envVariable   = "KINECTL_ENV"
	infraVariable = "KINECTL_INFRA"
)

// flags adds the common flags to a verb.
func (f *fleet) flags(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&f.spec, "file", "f", "spec.yml", "spec of the service")
	f.whereFlags(cmd)
}

// whereFlags are those that say which hosts.
func (f *fleet) whereFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.infra, "infra", cmp.Or(os.Getenv(infraVariable), "."), "infra repository ($"+infraVariable+")")
	cmd.Flags().StringVar(&f.env, "env", "", "environment: a folder of inventories/ in the infra repository ($"+envVariable+")")
	cmd.Flags().StringVar(&f.limit, "limit", "", "only these hosts, as an Ansible pattern")
	_ = cmd.MarkFlagDirname("infra")
	_ = cmd.RegisterFlagCompletionFunc("limit", f.completeLimit)
	_ = cmd.RegisterFlagCompletionFunc("env", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return f.environments(), cobra.ShellCompDirectiveNoFileComp
	})
}

// rollFlags adds the flags of a verb that changes hosts batch by batch.
func (f *fleet) rollFlags(cmd *cobra.Command) {
	cmd.Flags().BoolVarP(&f.yes, "yes", "y", false, "do not ask, also on a terminal")
	f.waitFlag(cmd)
	cmd.Flags().StringVar(&f.serial, "serial", "", `hosts at a time, instead of deploy.serial: a number, a percentage or a list like 1,25%`)
	cmd.Flags().BoolVar(&f.skip, "skip-unreachable", false, "go on without the hosts that cannot be reached at the start")
}

// waitFlag adds --wait to a verb that takes the lease. A run that is refused has
// changed nothing, so it can simply be tried again.
func (f *fleet) waitFlag(cmd *cobra.Command) {
	cmd.Flags().DurationVar(&f.wait, "wait", 0, "while another release, or a freeze, is in the way: try again for so long, like 10m")
}

// environments are those that the infra repository has.
func (f *fleet) environments() []string {
	var names []string
	entries, _ := os.ReadDir(filepath.Join(f.infra, "inventories"))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// named settles the environment, which is never guessed.
func (f *fleet) named() error {
	f.env = cmp.Or(f.env, os.Getenv(envVariable))
	if f.env != "" {
		return nil
	}
	there := "there is no inventories/ in " + f.infra
	if names := f.environments(); len(names) > 0 {
		there = "inventories/ has " + strings.Join(names, ", ")
	}
	return usage(errors.New("--env is missing; "+there), "name the environment with --env, or in "+envVariable)
}

// batches is the --serial of the command line, or nil.
func (f *fleet) batches() ([]string, error) {
	if f.serial == "" {
		return nil, nil
	}
	batches, err := spec.ParseSerial(f.serial)
	if err != nil {
		return nil, usage(fmt.Errorf("--serial: %w", err), "like 1, 25% or 1,25%,100%")
	}
	return batches, nil
}

// open reads the spec in the checkout, which says the service's name and
// group, and the inventory. A rule that the next release breaks keeps nobody from
// looking, or from going back. A limit that names nobody is wrong usage.
func (f *fleet) open(ctx context.Context, a *app) (plan.Plan, release.Options, error) {
	if err := f.named(); err != nil {
		return plan.Plan{}, release.Options{}, err
	}
	a.fleet = f
	check := spec.Parse
	if f.linted {
		check = spec.Check
	}
	s, err := a.readSpecBy(check, f.spec)
	if err != nil {
		return plan.Plan{}, release.Options{}, err
	}
	o, err := f.openInfra(ctx)
	if err != nil {
		return plan.Plan{}, release.Options{}, err
	}
	p := plan.Build(s, plan.Facts{})
	if _, err := o.Infra.Hosts(p.Group); err != nil {
		return plan.Plan{}, release.Options{}, usage(err, "service.group of the spec is an inventory group")
	}
	o, err = o.Understood(ctx, p.Group)
	if errors.Is(err, release.ErrLimit) {
		hosts, _ := o.Infra.Hosts(p.Group)
		err = usage(err, "one or more of "+strings.Join(hosts, " ")+", or an Ansible pattern that has them")
	}
	return p, o, err
}

// openRoll is open for a verb that goes over the hosts in batches, those of --serial if
// there are any: what is wrong with the command line is said before any host or person
// is asked.
func (f *fleet) openRoll(ctx context.Context, a *app) (p plan.Plan, o release.Options, batches []string, err error) {
	if f.wait < 0 {
		return p, o, nil, usage(errors.New("--wait cannot be negative"), "how long to try again, like 10m")
	}
	if p, o, err = f.open(ctx, a); err != nil {
		return p, o, nil, err
	}
	if batches, err = f.batches(); err != nil {
		return p, o, nil, err
	}
	if batches != nil {
		p.Deploy.Serial = batches
	}
	return p, o, batches, nil
}

// openInfra reads the inventory alone, for what needs no spec.
func (f *fleet) openInfra(ctx context.Context) (release.Options, error) {
	if err := f.named(); err != nil {
		return release.Options{}, err
	}
	dir, err := filepath.Abs(f.infra)
	if err != nil {
		return release.Options{}, err
	}
	in, err := release.OpenInfra(ctx, dir, f.env)
	if err != nil {
		return release.Options{}, usage(err, "--infra names the infra repository, --env a folder of its inventories/")
	}
	return release.Options{Infra: in, Limit: f.limit, Check: f.check, SkipUnreachable: f.skip, Wait: f.wait, StateDir: stateDir()}, nil
}

// stateDir is for logs and locks: the user's state directory of the XDG Base
// Directory Specification 0.8.
func stateDir() string {
	state := os.Getenv("XDG_STATE_HOME")
	if state == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			home = os.TempDir()
		}
		state = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(state, "kinectl")
}
