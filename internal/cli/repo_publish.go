package cli

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/repo"
)

func (a *app) repoPublishCommand() *cobra.Command {
	var flags repoFlags
	var infra string
	cmd := &cobra.Command{
		Use:   "publish REPO FILE...",
		Short: "Add packages to a repository",
		Long: `Adds .deb and .rpm files to a suite of REPO; a directory stands for the packages in
and below it. They may be kinectl's own or anybody's. apt sees all of them at one moment or
none, and so does dnf; many publishers may run at once.

A version never changes: the same file again changes nothing, other content under
the same version is refused. Damaged and invalid files are refused, all by name.
An rpm gets the signature of the repository's key in the place of its own.

With --infra, or $` + infraVariable + `, the spec that each package carries is held against the
policy.yml there: a package that asks for more than is open to its group is refused.`,
		Example: `  kinectl repo publish /srv/repository dist/hello_1.2.0_amd64.deb
  kinectl repo publish /srv/repository --suite testing dist/
  kinectl repo publish /srv/repository --infra ../infra dist/
  kinectl repo publish ssh://apt@packages.example.com/srv/repository dist/*.deb`,
		Args: cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			options, err := flags.options()
			if err != nil {
				return err
			}
			if infra != "" {
				if err := a.publishable(cmd.Context(), infra, args[1:]); err != nil {
					return err
				}
			}
			// A short life: to collect at 4 MB of memory, then 8, takes a tenth of the time.
			defer debug.SetGCPercent(debug.SetGCPercent(400))
			packages, err := repo.Publish(cmd.Context(), args[0], args[1:], options)
			if errors.Is(err, repo.ErrRefused) {
				return failed(err, "nothing was changed; mend or leave out what is named, give changed content a new version")
			}
			if err != nil {
				return repoError(err, args[0])
			}
			a.showPublished("published", flags.suite, packages)
			return nil
		},
	}
	flags.add(cmd, repo.DefaultSuite, "suite of the repository")
	cmd.Flags().StringVar(&infra, "infra", os.Getenv(infraVariable), "infra repository whose policy.yml the packages must keep ($"+infraVariable+")")
	_ = cmd.MarkFlagDirname("infra")
	return cmd
}

func (a *app) showPublished(verb, suite string, packages []repo.Published) {
	if a.json {
		a.printJSON(struct {
			Suite    string           `json:"suite"`
			Packages []repo.Published `json:"packages"`
		}{suite, packages})
		return
	}
	for _, p := range packages {
		if p.New {
			fmt.Fprintf(a.stdout, "%s %s %s %s (%s) in %s\n", verb, p.Name, p.Version, p.Architecture, byteSize(p.Size), suite)
		} else {
			fmt.Fprintf(a.stdout, "unchanged %s %s %s is in %s already\n", p.Name, p.Version, p.Architecture, suite)
		}
	}
}

// byteSize writes a size in decimal units, as people say it: 8.1 MB.
func byteSize(n int64) string {
	switch {
	case n >= 1_000_000_000:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 1_000_000:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	case n >= 1_000:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%d B", n)
}
