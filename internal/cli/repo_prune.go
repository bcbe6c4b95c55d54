package cli

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/repo"
)

func (a *app) repoPruneCommand() *cobra.Command {
	var flags repoFlags
	var inUse string
	younger := age(90 * 24 * time.Hour)
	options := repo.PruneOptions{}
	cmd := &cobra.Command{
		Use:   "prune REPO --in-use FILE",
		Short: "Remove old versions that nobody needs",
		Long: `Removes versions from every suite, or from --suite. A version stays when it is one of
the newest --keep of its package, or younger than --younger-than, or in the file
--in-use: what hosts run and what they would go back to, a line for each, the name
and the version, as dpkg-query prints them. A repository cannot know that by itself,
so the file must be named; an empty one says that nothing is in use. Names that the
repository does not have are passed over. Where it has the name and not the version,
nothing is removed: the version may be written in a way that is not understood.
--allow-missing goes on all the same.

Files of removed versions stay for another day, see 'kinectl repo remove'.`,
		Example: `  dpkg-query -W -f '${Package} ${Version}\n' >in-use    # of every host: docs/repository.md has the command
  kinectl repo prune /srv/repository --in-use in-use --dry-run
  kinectl repo prune /srv/repository --in-use in-use --keep 20 --younger-than 180d`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if options.Options, err = flags.options(); err != nil {
				return err
			}
			f, err := os.Open(inUse)
			if err != nil {
				return usage(fmt.Errorf("read what is in use: %w", err), "")
			}
			defer f.Close()
			if options.InUse, err = repo.ReadInUse(f, inUse); err != nil {
				return repoError(err, args[0])
			}
			options.Younger = time.Duration(younger)
			pruned, err := repo.Prune(cmd.Context(), args[0], options)
			if err == nil || errors.Is(err, repo.ErrMissing) && options.DryRun {
				a.showPruned(pruned, options.DryRun)
			}
			if err != nil && a.json && options.DryRun && errors.Is(err, repo.ErrMissing) {
				return exit(exitFailed) // "missing" says it
			}
			return repoError(err, args[0])
		},
	}
	flags.add(cmd, "", "only this suite (default every suite)")
	cmd.Flags().StringVar(&inUse, "in-use", "", "file with the versions that hosts run or would go back to: a line each, NAME VERSION")
	cmd.Flags().BoolVar(&options.AllowMissing, "allow-missing", false, "go on where a version in use is not in the repository")
	cmd.Flags().IntVar(&options.Newest, "keep", 10, "how many of the newest versions of each package stay")
	cmd.Flags().Var(&younger, "younger-than", "what was published less than this ago stays")
	cmd.Flags().BoolVar(&options.DryRun, "dry-run", false, "say what would be removed, and change nothing")
	_ = cmd.MarkFlagRequired("in-use")
	return cmd
}

func (a *app) showPruned(p *repo.Pruned, dryRun bool) {
	if a.json {
		a.printJSON(p)
		return
	}
	verb := "removed"
	if dryRun {
		verb = "would remove"
	}
	for _, e := range p.Removed {
		fmt.Fprintf(a.stdout, "%s %s %s %s (%s) from %s\n", verb, e.Name, e.Version, e.Architecture, byteSize(e.Size), e.Suite)
	}
	for _, name := range p.Orphans {
		fmt.Fprintf(a.stdout, "%s %s, which belongs to no suite, when clients are done with it\n", verb, name)
	}
	for _, u := range p.Missing {
		fmt.Fprintf(a.stderr, "warning: %s %s is in use but not in the repository\n", u.Name, u.Version)
	}
	fmt.Fprintf(a.stdout, "%s %s (%s), %d stay\n", verb, counted(len(p.Removed), "package"), byteSize(p.Bytes), p.Kept)
}
