package cli

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/repo"
)

func (a *app) repoInitCommand() *cobra.Command {
	var flags repoFlags
	var origin, keyType string
	cmd := &cobra.Command{
		Use:   "init REPO",
		Short: "Make a package repository, or one more suite of it",
		Long: `Makes the directory REPO a package repository with an empty suite, and a key that
signs it. The public key is REPO/key.asc. The private key is never inside REPO,
since web servers serve that: keep a copy of it in a safe place. A key that you
have already is taken with --key FILE.

Again on the same repository changes nothing; with another --suite adds that suite.`,
		Example: `  kinectl repo init /srv/apt
  kinectl repo init /srv/apt --name example --key /root/example.asc
  kinectl repo init /srv/apt --suite testing`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			options, err := flags.options()
			if err != nil {
				return err
			}
			info, err := repo.Init(cmd.Context(), args[0], repo.InitOptions{Options: options, Origin: origin, KeyType: repo.KeyType(keyType)})
			if err != nil {
				return repoError(err, args[0])
			}
			a.showRepoInit(args[0], info)
			return nil
		},
	}
	flags.add(cmd)
	cmd.Flags().StringVar(&origin, "name", "", "origin of the repository, by which hosts pin it (default "+repo.DefaultOrigin+")")
	cmd.Flags().StringVar(&keyType, "key-type", string(repo.RSA4096), "type of a new key: rsa4096 or ed25519")
	return cmd
}

func (a *app) showRepoInit(dir string, info *repo.Info) {
	if a.json {
		a.printJSON(info)
		return
	}
	verb := "made"
	if !info.Created {
		verb = "unchanged:"
	}
	fmt.Fprintf(a.stdout, "%s repository %s, origin %s, suite %s\n", verb, dir, info.Origin, info.Suite)
	fmt.Fprintf(a.stdout, "public key  %s (%s)\n", filepath.Join(dir, "key.asc"), info.Fingerprint)
	fmt.Fprintf(a.stdout, "private key %s\n", info.KeyFile)
}
