package cli

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/secrets"
)

func (a *app) vaultLintCommand() *cobra.Command {
	var staged bool
	cmd := &cobra.Command{
		Use:   "lint [DIR]",
		Short: "Find secrets that are not encrypted",
		Long: `Looks for secrets that everybody can read in an infra repository: vault_… variables
that are not encrypted, values under names of secrets, tokens and keys that show by
their form, damaged vault texts, files that hold the password itself, and a rekey that
was interrupted. In a git repository files that .gitignore names are left out.

A comment above a line, "lint:ignore RULE reason", silences one finding. Exit code 2
when there is an error. With --json it prints what kinectl lint prints.`,
		Example: `  kinectl vault lint infra
  kinectl vault lint --staged       # what the next commit has, as the hook does`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.vaultLint(cmd.Context(), append(args, ".")[0], staged)
		},
	}
	cmd.Flags().BoolVar(&staged, "staged", false, "look at what is staged in git, and at nothing else")
	return cmd
}

func (a *app) vaultLint(ctx context.Context, dir string, staged bool) error {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return usage(fmt.Errorf("%s is no folder", dir), "kinectl vault lint DIR")
	}
	read := secrets.Repository
	if staged {
		read = secrets.Staged
	}
	files, err := read(ctx, dir)
	if err != nil {
		return failed(err, "")
	}
	if !staged {
		for i := range files {
			files[i].Path = filepath.Join(dir, files[i].Path)
		}
	}
	all := append(secrets.Interrupted(dir), secrets.Lint(files)...)
	a.printFindings(counted(len(files), "file")+" checked", all)
	if all.HasErrors() {
		return exit(exitUsage)
	}
	return nil
}

// hookScript is the pre-commit hook.
//
//go:embed vault_hook.sh
var hookScript []byte

func (a *app) vaultHookCommand() *cobra.Command {
	var install bool
	cmd := &cobra.Command{
		Use:   "hook [DIR]",
		Short: "Print or install a git hook that keeps plain secrets out of commits",
		Long: `Prints a pre-commit hook (githooks(5)): it runs kinectl vault lint --staged, and git
makes no commit when that finds an error. With --install it is written into the git
repository of DIR, unless that has a hook of its own. git commit --no-verify goes
past it, as past every hook.

With --json it prints {"path": ...}, or {"script": ...} without --install.`,
		Example: `  kinectl vault hook --install infra
  kinectl vault hook >>infra/.git/hooks/pre-commit`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !install {
				if a.json {
					a.printJSON(map[string]string{"script": string(hookScript)})
					return nil
				}
				_, err := a.stdout.Write(hookScript)
				return err
			}
			name, err := secrets.InstallHook(cmd.Context(), append(args, ".")[0], hookScript)
			if errors.Is(err, secrets.ErrOtherHook) {
				return failed(err, "add the last line of `kinectl vault hook` to it")
			}
			if err != nil {
				return failed(err, "DIR is a folder of a git repository")
			}
			if a.json {
				a.printJSON(map[string]string{"path": name})
			} else {
				fmt.Fprintln(a.stdout, "wrote", name)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&install, "install", false, "write it into the git repository of DIR")
	return cmd
}
