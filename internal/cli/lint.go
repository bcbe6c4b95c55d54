package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/diag"
	"github.com/kinectl/kinectl/internal/spec"
)

// lintCommand is `kinectl lint`.
func (a *app) lintCommand() *cobra.Command {
	var files []string
	cmd := &cobra.Command{
		Use:   "lint [FILE...]",
		Short: "Find every mistake in a spec",
		Long: `Checks one spec or many and shows all that is wrong with them, each with its
place, the line and what to do. Nothing is changed.

With --json it prints {"findings": [...], "errors": N, "warnings": N}; a finding
has rule, severity, file, path, line, column, message and hint.

Exit codes: 0 no errors (warnings may be shown), 2 errors.`,
		Example: `  kinectl lint
  kinectl lint -f api/spec.yml -f worker/spec.yml
  kinectl lint services/*/spec.yml --json`,
		RunE: func(_ *cobra.Command, args []string) error {
			return a.lint(append(files, args...))
		},
	}
	cmd.Flags().StringArrayVarP(&files, "file", "f", nil, "spec to check; may be repeated (default spec.yml)")
	return cmd
}

func (a *app) lint(files []string) error {
	if len(files) == 0 {
		files = []string{"spec.yml"}
	}
	var all diag.Findings
	for _, file := range files {
		src, err := source(file)
		if err != nil {
			return err
		}
		_, findings := spec.Check(file, src)
		all = append(all, findings...)
	}
	r := newReport(all)
	if a.json {
		a.printJSON(r)
	} else {
		_ = all.Write(a.stdout, terminal(a.stdout))
		if r.Errors+r.Warnings == 0 {
			fmt.Fprintf(a.stdout, "%s checked, nothing found\n", counted(len(files), "spec"))
		} else {
			fmt.Fprintf(a.stdout, "%s checked: %s, %s\n", counted(len(files), "spec"), counted(r.Errors, "error"), counted(r.Warnings, "warning"))
		}
	}
	if all.HasErrors() {
		return exit(exitUsage)
	}
	return nil
}
