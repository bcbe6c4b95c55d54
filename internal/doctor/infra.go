package doctor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kinectl/kinectl/internal/diag"
	"github.com/kinectl/kinectl/internal/policy"
	"github.com/kinectl/kinectl/internal/release"
	"github.com/kinectl/kinectl/internal/resources"
	"github.com/kinectl/kinectl/internal/secrets"
)

// Infra are the checks of the files of an infra repository.
func Infra(dir string) []Check {
	return []Check{
		{Name: policy.File, Look: readable(dir, policy.File, func(name string, src []byte) diag.Findings {
			_, f := policy.Read(name, src)
			return f
		})},
		{Name: resources.File, Look: readable(dir, resources.File, func(name string, src []byte) diag.Findings {
			_, f := resources.Read(name, src)
			return f
		})},
		{Name: release.SitePlaybook, Look: func(context.Context) []Finding {
			if _, err := os.Stat(filepath.Join(dir, release.SitePlaybook)); err != nil {
				return one(Warn, "is not there: kinectl apply needs it", "kinectl init --infra NEW")
			}
			return one(OK, "", "")
		}},
		{Name: "secrets", Look: func(ctx context.Context) []Finding {
			files, err := secrets.Repository(ctx, dir)
			if err != nil {
				return one(Fail, err.Error(), "")
			}
			all := append(secrets.Interrupted(dir), secrets.Lint(files)...)
			if n := all.Count(diag.Error); n > 0 {
				return one(Fail, fmt.Sprintf("%d in plain text or damaged", n), "kinectl vault lint "+dir)
			}
			return one(OK, "none in plain text", "")
		}},
	}
}

// readable checks a file that need not be there.
func readable(dir, name string, read func(string, []byte) diag.Findings) func(context.Context) []Finding {
	return func(context.Context) []Finding {
		file := filepath.Join(dir, name)
		src, err := os.ReadFile(file)
		if os.IsNotExist(err) {
			return one(OK, "is not there: the default holds", "")
		}
		if err != nil {
			return one(Fail, err.Error(), "")
		}
		for _, f := range read(file, src) {
			if f.Severity == diag.Error {
				return one(Fail, fmt.Sprintf("%s:%d: %s", file, f.Line, f.Message), "kinectl lint --infra "+dir)
			}
		}
		return one(OK, "", "")
	}
}

// Environment are the checks of one environment: its inventory, the package
// repository that it names, and, where hosts is set, every host over ssh.
func Environment(dir, env string, hosts bool) Check {
	return Check{Name: env, Open: func(ctx context.Context) ([]Finding, []Check) {
		in, err := release.OpenInfra(ctx, dir, env)
		if err != nil {
			return one(Fail, err.Error(), "ansible-inventory -i "+filepath.Join(dir, "inventories", env)+" --list"), nil
		}
		all := in.All()
		if len(all) > 0 && !in.HasGroups() {
			return one(Fail, "the inventory has no groups: services run on groups", ""), nil
		}
		vars, err := variables(ctx, dir, in.Inventory)
		if err != nil {
			return one(Fail, err.Error(), ""), nil
		}
		level := Fail
		if len(all) == 0 && !hosts {
			level = Warn // an environment that is not in use yet
		}
		lacks := inventory(vars, dir, env, there(filepath.Join(dir, "roles", "base")), level)
		if len(all) == 0 {
			return append(one(Warn, "the inventory has no host yet", "put the addresses of servers into "+filepath.Join("inventories", env, "hosts.yml")), lacks...), places(vars, dir, env, false)
		}
		var more []Check
		if !slices.ContainsFunc(lacks, func(f Finding) bool { return f.Check != env+" admins" }) { // else it is said already
			more = append(more, Check{Name: env + " repository", Look: func(ctx context.Context) []Finding { return packages(ctx, in, dir) }})
			more = append(more, places(vars, dir, env, true)...)
		}
		for _, h := range all {
			if hosts {
				more = append(more, Check{Name: h, Look: func(ctx context.Context) []Finding { return host(ctx, in, dir, h) }})
			}
		}
		return append(one(OK, strings.Join(all, " "), ""), lacks...), more
	}}
}
