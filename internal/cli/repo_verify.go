package cli

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/repo"
)

func (a *app) repoVerifyCommand() *cobra.Command {
	var suites []string
	var trust string
	cmd := &cobra.Command{
		Use:   "verify REPO",
		Short: "Check every file of a repository",
		Long: `Reads a whole repository as clients do and checks it: signatures, that apt's time is
not over, every index under each of its names, every package by size and digest. It
changes nothing and may run beside publishers. REPO may be a web server's address:
then --trust names the public key.

Ends with exit code 1 when something is not what the repository's key vouches for.`,
		Example: `  kinectl repo verify /srv/repository
  kinectl repo verify https://packages.example.com --trust example.asc --suite stable`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o := repo.VerifyOptions{Suites: suites}
			if trust != "" {
				key, err := os.ReadFile(trust)
				if err != nil {
					return failed(err, "")
				}
				o.Key = key
			}
			line := newProgressLine(a.progress())
			o.Progress = func(done, all int) {
				if done%100 == 0 {
					line.show(fmt.Sprintf("checked %d of %d packages", done, all))
				}
			}
			v, err := repo.Verify(cmd.Context(), args[0], o)
			line.clear()
			if err != nil {
				return repoError(err, args[0])
			}
			return a.showVerified(args[0], v)
		},
	}
	cmd.Flags().StringArrayVar(&suites, "suite", nil, "only this suite; may be given more than once (default every suite, of a web server stable)")
	cmd.Flags().StringVar(&trust, "trust", "", "file of the public keys to check with (default REPO/key.asc of a directory)")
	return cmd
}

func (a *app) showVerified(location string, v *repo.Verified) error {
	if a.json {
		a.printJSON(v)
	} else {
		for _, p := range v.Problems {
			fmt.Fprintf(a.stdout, "%s: %s\n", p.File, p.Error)
		}
		if len(v.Unnamed) > 0 {
			fmt.Fprintf(a.stdout, "%s of no suite, left by a killed process: prune removes them\n", counted(len(v.Unnamed), "file"))
		}
		fmt.Fprintf(a.stdout, "checked %s (%s) in %s: %s\n", counted(v.Packages, "package"), byteSize(v.Bytes),
			counted(len(v.Suites), "suite"), counted(len(v.Problems), "problem"))
	}
	switch {
	case len(v.Problems) == 0:
		return nil
	case a.json:
		return exit(exitFailed) // all is said
	}
	return failed(fmt.Errorf("verify %s: %s in what the repository signed", repo.Shown(location), counted(len(v.Problems), "problem")),
		"a package is mended by publishing its file again, what a killed process left by: kinectl repo resign "+repo.Shown(location)+
			"; anything else as docs/repository.md says under \"A damaged repository\". Find out who changed it")
}
