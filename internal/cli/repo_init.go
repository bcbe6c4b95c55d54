package cli

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/repo"
	"github.com/kinectl/kinectl/internal/repo/signing"
)

func (a *app) repoInitCommand() *cobra.Command {
	var flags repoFlags
	var origin, keyType, publicKey string
	var validFor age
	cmd := &cobra.Command{
		Use:   "init REPO",
		Short: "Make a package repository, or one more suite of it",
		Long: `Makes REPO a package repository for apt and dnf with an empty suite, and a key that
signs it. The public key is REPO/key.asc. The private key is never inside REPO,
since web servers serve that: keep a copy of it in a safe place. A key that you
have already is taken with --key FILE; where there is no such file, the new key goes there.

Again on the same repository changes nothing; with another --suite adds that suite.
With --valid-for hosts refuse the suite when it was not signed anew for that long
(kinectl repo resign): so nobody can keep an old state from them for ever.`,
		Example: `  kinectl repo init /srv/repository
  kinectl repo init /srv/repository --name example --key /root/example.asc
  kinectl repo init /srv/repository --suite testing
  kinectl repo init s3://packages/example --valid-for 14d`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			options, err := flags.options()
			if err != nil {
				return err
			}
			public, err := readPublicKey(publicKey)
			if err != nil {
				return err
			}
			info, err := repo.Init(cmd.Context(), args[0], repo.InitOptions{
				Options: options, Origin: origin, KeyType: signing.KeyType(keyType), PublicKey: public, ValidFor: time.Duration(validFor),
			})
			if err != nil {
				return repoError(err, args[0])
			}
			a.showRepoInit(args[0], info)
			return nil
		},
	}
	flags.add(cmd, repo.DefaultSuite, "suite of the repository")
	cmd.Flags().StringVar(&origin, "name", "", "origin of the repository, by which hosts pin it (default "+repo.DefaultOrigin+")")
	cmd.Flags().StringVar(&keyType, "key-type", string(signing.RSA4096), "type of a new key: rsa4096 or ed25519")
	cmd.Flags().StringVar(&publicKey, "public-key", "", "file of the public key of --key exec:COMMAND, PEM or DER")
	cmd.Flags().Var(&validFor, "valid-for", "how long hosts believe a suite that is not signed anew, like 14d; 0 for ever")
	return cmd
}

// readPublicKey reads the file of a flag that may be left out.
func readPublicKey(name string) ([]byte, error) {
	if name == "" {
		return nil, nil
	}
	body, err := os.ReadFile(name)
	if err != nil {
		return nil, usage(fmt.Errorf("read the public key: %w", err), "")
	}
	return body, nil
}

func (a *app) showRepoInit(location string, info *repo.Info) {
	if a.json {
		a.printJSON(info)
		return
	}
	verb := "made"
	if !info.Created {
		verb = "unchanged:"
	}
	fmt.Fprintf(a.stdout, "%s repository %s, origin %s, suite %s\n", verb, location, info.Origin, info.Suite)
	fmt.Fprintf(a.stdout, "public key  %s/key.asc (%s)\n", strings.TrimRight(location, "/"), strings.Join(info.Fingerprints, ", "))
	if info.KeyFile != "" {
		fmt.Fprintf(a.stdout, "private key %s (new: keep a copy in a safe place)\n", info.KeyFile)
	}
}
