package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/diag"
	"github.com/kinectl/kinectl/internal/policy"
	"github.com/kinectl/kinectl/internal/release"
	"github.com/kinectl/kinectl/internal/resources"
	"github.com/kinectl/kinectl/internal/spec"
)

// lintInfra is the infra repository that specs are held against, if any.
type lintInfra struct {
	dir, env string

	kinds    []spec.Resource
	policy   policy.Policy
	envs     []*release.Infra
	findings diag.Findings // about the repository's own files
}

func (l *lintInfra) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&l.dir, "infra", "", "infra repository to hold the specs against: groups, variables, resources and policy")
	cmd.Flags().StringVar(&l.env, "env", "", "its environment (default: all of them)")
	_ = cmd.MarkFlagDirname("infra")
	_ = cmd.RegisterFlagCompletionFunc("env", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return inventories(l.dir), cobra.ShellCompDirectiveNoFileComp
	})
}

// open reads the repository. Without --infra there is none, and nothing that
// the specs are held against.
func (l *lintInfra) open(ctx context.Context) error {
	if l.dir == "" && l.env != "" {
		return usage(errors.New("--env is an environment of an infra repository"), "name the repository with --infra DIR")
	}
	if l.dir == "" {
		return nil
	}
	dir, err := filepath.Abs(l.dir)
	if err != nil {
		return usage(err, "")
	}
	var wrong diag.Findings
	if l.policy, wrong, err = policyOf(l.dir); err != nil {
		return usage(fmt.Errorf("read the policy of %s: %w", l.dir, err), "")
	}
	l.findings = append(l.findings, wrong...)
	if l.kinds, wrong, err = kindsOf(l.dir); err != nil {
		return err
	}
	l.findings = append(l.findings, wrong...)
	envs := inventories(l.dir)
	if l.env != "" {
		envs = []string{l.env}
	}
	if len(envs) == 0 {
		return usage(fmt.Errorf("there is no inventory in %s", filepath.Join(l.dir, "inventories")), "--infra names an infra repository, with a folder of inventories/ for each environment")
	}
	for _, env := range envs {
		in, err := release.OpenInfra(ctx, dir, env)
		if err != nil {
			return usage(err, "--infra names the infra repository, --env a folder of its inventories/")
		}
		l.envs = append(l.envs, in)
	}
	return nil
}

// inventories are the environments of an infra repository, by name.
func inventories(dir string) []string {
	entries, _ := os.ReadDir(filepath.Join(cmp.Or(dir, "."), "inventories"))
	var names []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	return names
}

// check returns what is wrong with a spec in this infra repository.
func (l *lintInfra) check(s *spec.Spec) diag.Findings {
	if l.dir == "" {
		return unopened(s)
	}
	all := policy.Check(l.policy, s)
	var missing []error
	found := false
	for _, in := range l.envs {
		if !s.Group.Set {
			break
		}
		hosts, err := in.Hosts(s.Group.V)
		if err != nil {
			missing = append(missing, err)
			continue
		}
		found = true
		all = append(all, undefined(s, l.kinds, in, hosts)...)
	}
	// A service need not run in every environment: one is enough.
	if !found && len(missing) > 0 {
		all = append(all, s.Finding("unknown-group", diag.Error, "service.group", s.Group.At,
			"service.group is a group of the Ansible inventory that has hosts", errors.Join(missing...).Error()))
	}
	for i := range all {
		all[i].Message = strings.ReplaceAll(all[i].Message, "\n", "; ")
	}
	return all
}

// unopened tells what the default policy does not open: whether policy.yml
// does is known only with --infra.
func unopened(s *spec.Spec) diag.Findings {
	all := policy.Check(policy.Default(), s)
	for i := range all {
		all[i].Severity = diag.Note
		all[i].Hint += "; --infra DIR looks whether it is there"
	}
	return all
}

// undefined finds the variables that not all hosts of the group have, each at
// the first place that needs it.
func undefined(s *spec.Spec, kinds []spec.Resource, in *release.Infra, hosts []string) diag.Findings {
	var all diag.Findings
	seen := map[string]bool{}
	need := func(name, path string, at spec.Pos, or string) {
		if seen[name] {
			return
		}
		seen[name] = true
		for _, sentence := range in.Undefined(hosts, []string{name}) {
			all = append(all, s.Finding("undefined-variable", diag.Error, path, at,
				"define it in the group_vars or host_vars of inventories/"+in.Env+or, sentence+" in "+in.Env))
		}
	}
	for _, v := range s.Environment {
		for _, part := range v.Parts {
			for _, name := range part.Needs {
				or := ", or write {{ " + name + " | default(…) }}"
				if strings.HasPrefix(name, "vault_") {
					or = ", encrypted" // a secret has no default
				}
				need(name, "service.environments", v.Value, or)
			}
		}
	}
	for i, used := range s.Resources {
		for _, r := range slices.Concat(spec.Resources(), kinds) {
			if r.Kind == used.V {
				need(r.Needs, fmt.Sprintf("service.resources[%d]", i), used.At, "")
			}
		}
	}
	return all
}

// settled makes an unknown resource an error: the repository that could have
// it was asked.
func (l *lintInfra) settled(findings diag.Findings) diag.Findings {
	for i, f := range findings {
		if l.dir != "" && f.Rule == "unknown-resource" && f.Severity == diag.Warning {
			findings[i].Severity = diag.Error
			findings[i].Message += ", nor does " + resources.File + " of the infra repository"
			findings[i].Hint = "add it there, or remove it here: " + policyPage
		}
	}
	return findings
}
