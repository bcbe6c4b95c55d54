package cli

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/repo"
)

func (a *app) repoCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "repo",
		Short: "Keep a signed package repository",
		Long: `A repository is a directory that apt installs from, through any web server. It is
signed with a private key that lies outside of it, by default in
~/.config/kinectl/keys. Every version that was published stays, so that a
rollback finds it.`,
		Example: `  kinectl repo init /srv/apt
  kinectl repo publish /srv/apt dist/*.deb
  kinectl repo list /srv/apt
  kinectl repo serve /srv/apt --listen :8080`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.repoInitCommand(), a.repoPublishCommand(), a.repoListCommand(), a.repoServeCommand())
	return cmd
}

// repoFlags are the flags of the verbs that write a repository.
type repoFlags struct {
	suite, key string
}

func (f *repoFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.suite, "suite", repo.DefaultSuite, "suite of the repository")
	cmd.Flags().StringVar(&f.key, "key", "", "file of the private key (default ~/.config/kinectl/keys/FINGERPRINT.asc)")
}

func (f *repoFlags) options() (repo.Options, error) {
	o := repo.Options{Suite: f.suite, KeyFile: f.key}
	if f.key == "" {
		config, err := os.UserConfigDir()
		if err != nil {
			return o, usage(err, "name the file of the private key with --key")
		}
		o.KeyDir = filepath.Join(config, "kinectl", "keys")
	}
	return o, nil
}

// repoError gives an error of package repo its exit code and its hint.
func repoError(err error, location string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, repo.ErrUsage):
		return usage(err, "")
	case errors.Is(err, repo.ErrNoKey):
		return failed(err, "run this as the user who made the repository, or name the private key with --key FILE")
	case errors.Is(err, repo.ErrSignature):
		return failed(err, "compare the public key with the repository's key.asc; if they are the same, somebody changed the files")
	case errors.Is(err, repo.ErrNotRepository):
		return failed(err, "make the repository or the suite with: kinectl repo init "+location+" [--suite SUITE]")
	case errors.Is(err, repo.ErrRefused):
		return failed(err, "nothing was published; mend or leave out what is named, give changed content a new version")
	}
	return failed(err, "")
}
