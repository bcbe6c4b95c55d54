package cli

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/diag"
	"github.com/kinectl/kinectl/internal/spec"
)

// lintCommand is `kinectl lint`.
func (a *app) lintCommand() *cobra.Command {
	var files []string
	var infra lintInfra
	cmd := &cobra.Command{
		Use:   "lint [FILE|FOLDER...]",
		Short: "Find every mistake in a spec",
		Long: `Checks one spec or many and shows all that is wrong with them, each with its
place, the line and what to do. Nothing is changed. A folder stands for every
spec.yml below it. Services of one group are held against each other too: each
host of the group runs them all.

A comment above a line, or anywhere for the whole file, silences a rule:

  # lint:ignore RULE reason
  # lint:file-ignore RULE reason

With --infra the specs are held against an infra repository: is the group in the
inventory, is every variable defined for every host, does policy.yml open what
they ask for, are their resources known. That takes Ansible.

With --json it prints {"findings": [...], "errors": N, "warnings": N, "notes": N};
a finding has rule, severity, file, path, line, column, message and hint.

Exit codes: 0 no errors (warnings and notes may be shown), 2 errors.`,
		Example: `  kinectl lint
  kinectl lint -f api/spec.yml -f worker/spec.yml
  kinectl lint services --json
  kinectl lint --infra ../infra --env production`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := infra.open(cmd.Context()); err != nil {
				return err
			}
			return a.lint(append(files, args...), &infra)
		},
	}
	cmd.Flags().StringArrayVarP(&files, "file", "f", nil, "spec to check, or folder of specs; may be repeated (default spec.yml)")
	infra.flags(cmd)
	return cmd
}

func (a *app) lint(args []string, infra *lintInfra) error {
	if len(args) == 0 {
		args = []string{"spec.yml"}
	}
	files, err := specFiles(args)
	if err != nil {
		return err
	}
	specs, findings, err := parseAll(files, infra.kinds...)
	if err != nil {
		return err
	}
	for i, clashes := range spec.Clashes(specs) {
		findings[i] = append(findings[i], clashes...)
	}
	all := slices.Clone(infra.findings)
	for i, s := range specs {
		findings[i] = append(infra.settled(findings[i]), infra.check(s)...)
		all = append(all, spec.Settle(s, findings[i])...)
	}
	a.printFindings(counted(len(files), "spec")+" checked", all)
	if all.HasErrors() {
		return exit(exitUsage)
	}
	return nil
}

// printFindings shows findings on standard output, and what they sum up to.
func (a *app) printFindings(done string, all diag.Findings) {
	r := newReport(all)
	if a.json {
		a.printJSON(r)
		return
	}
	_ = all.Write(a.stdout, terminal(a.stdout))
	sum := "nothing found"
	if r.Errors+r.Warnings > 0 {
		sum = counted(r.Errors, "error") + ", " + counted(r.Warnings, "warning")
	}
	if r.Notes > 0 {
		sum += ", " + counted(r.Notes, "note")
	}
	fmt.Fprintf(a.stdout, "%s%s%s\n", done, map[bool]string{true: ": ", false: ", "}[r.Errors+r.Warnings > 0], sum)
}

// specFiles puts every spec.yml below a folder in the place of the folder.
func specFiles(args []string) ([]string, error) {
	var files []string
	for _, arg := range args {
		if info, err := os.Stat(arg); err != nil || !info.IsDir() {
			files = append(files, arg) // one that is not there is told when it is read
			continue
		}
		before := len(files)
		err := filepath.WalkDir(arg, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && path != arg && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules"):
				return filepath.SkipDir
			case !d.IsDir() && d.Name() == "spec.yml":
				files = append(files, path)
			}
			return nil
		})
		if err != nil {
			return nil, usage(err, "")
		}
		if len(files) == before {
			return nil, usage(fmt.Errorf("%s: there is no spec.yml in this folder or below it", arg), "name the spec, or make a service with `kinectl init DIR`")
		}
	}
	return files, nil
}

// parseAll reads the specs and applies the rules to each, several at a time.
// The results stand in the order of the files.
func parseAll(files []string, kinds ...spec.Resource) ([]*spec.Spec, []diag.Findings, error) {
	specs, findings, errs := make([]*spec.Spec, len(files)), make([]diag.Findings, len(files)), make([]error, len(files))
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(files)) {
		workers.Go(func() {
			for i := range next {
				src, err := source(files[i])
				if err != nil {
					errs[i] = err
					continue
				}
				s, found := spec.Parse(files[i], src)
				specs[i], findings[i] = s, append(found, spec.Lint(s, kinds...)...)
			}
		})
	}
	for i := range files {
		next <- i
	}
	close(next)
	workers.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, nil, err
		}
	}
	return specs, findings, nil
}
