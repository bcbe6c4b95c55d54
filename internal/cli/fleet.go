package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/release"
)

// fleet is what the verbs that touch hosts have in common: which service,
// which environment, which hosts.
type fleet struct {
	spec, infra, env, limit string
	check                   bool
}

// flags adds the common flags to a verb.
func (f *fleet) flags(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&f.spec, "file", "f", "spec.yml", "spec of the service")
	cmd.Flags().StringVar(&f.infra, "infra", ".", "infra repository")
	cmd.Flags().StringVar(&f.env, "env", "", "environment: a folder of inventories/ in the infra repository")
	cmd.Flags().StringVar(&f.limit, "limit", "", "only these hosts, as an Ansible pattern")
	_ = cmd.MarkFlagRequired("env")
	_ = cmd.MarkFlagDirname("infra")
	_ = cmd.RegisterFlagCompletionFunc("env", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		var names []string
		entries, _ := os.ReadDir(filepath.Join(f.infra, "inventories"))
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	})
}

// open reads the spec in the checkout, which says the service's name and
// group, and the inventory.
func (f *fleet) open(ctx context.Context, a *app) (plan.Plan, release.Options, error) {
	s, err := a.readSpec(f.spec)
	if err != nil {
		return plan.Plan{}, release.Options{}, err
	}
	dir, err := filepath.Abs(f.infra)
	if err != nil {
		return plan.Plan{}, release.Options{}, err
	}
	in, err := release.OpenInfra(ctx, dir, f.env)
	if err != nil {
		return plan.Plan{}, release.Options{}, usage(err, "--infra names the infra repository, --env a folder of its inventories/")
	}
	p := plan.Build(s, plan.Facts{})
	if _, err := in.Hosts(p.Group); err != nil {
		return plan.Plan{}, release.Options{}, usage(err, "service.group of the spec is an inventory group")
	}
	return p, release.Options{Infra: in, Limit: f.limit, Check: f.check, StateDir: stateDir()}, nil
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

// roll runs over the fleet, tells what happens, and ends the verb.
func (a *app) roll(ctx context.Context, o release.Options, run func(release.Options) (*release.Outcome, error)) error {
	n := newNarrator(a.progress())
	o.Progress = n.event
	out, err := run(o)
	n.clear()
	if out != nil && len(out.Untouched) > 0 && !a.json {
		fmt.Fprintf(a.progress(), "  not touched %s\n", strings.Join(out.Untouched, " "))
	}
	if out != nil && len(out.Kept) > 0 && !a.json {
		fmt.Fprintf(a.progress(), "  not reverted %s: there was no release before; `kinectl remove --limit %s` takes it away\n",
			strings.Join(out.Kept, " "), strings.Join(out.Kept, ","))
	}
	return a.finish(ctx, out, err)
}

// finish shows the end of a run and turns its error into an exit code.
func (a *app) finish(ctx context.Context, out *release.Outcome, err error) error {
	if errors.Is(err, release.ErrUndefined) {
		return usage(err, "define it in the group_vars or host_vars of the inventory")
	}
	if errors.Is(err, release.ErrPlain) {
		return usage(err, "write what `kinectl vault encrypt` prints in its place")
	}
	if out == nil && errors.Is(err, release.ErrLocked) {
		return &exitError{code: exitLocked, err: err, hint: "wait for it to end, then look with `kinectl status`"}
	}
	if out == nil {
		return failed(err, "")
	}
	if a.json {
		if err != nil {
			out.Error = err.Error()
		}
		a.printJSON(out)
	} else if err == nil {
		fmt.Fprintf(a.stdout, "%s\n", summary(out))
	}
	if err == nil {
		return nil
	}
	code := exitFailed
	hint := "Ansible's output: " + out.Log
	switch {
	case ctx.Err() != nil:
		err = errors.New("interrupted; a host that was in the middle of a release finishes it alone")
		hint = "see what the hosts run with `kinectl status`; Ansible's output: " + out.Log
	case errors.Is(err, release.ErrRolledBack):
		code = exitRolledBack
	case errors.Is(err, release.ErrLocked):
		code = exitLocked
	}
	if a.json {
		return exit(code)
	}
	return &exitError{code: code, err: err, hint: hint}
}
