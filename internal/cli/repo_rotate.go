package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/repo"
	"github.com/kinectl/kinectl/internal/repo/signing"
)

func (a *app) repoRotateCommand() *cobra.Command {
	var flags repoFlags
	var keyType, publicKey string
	var o repo.RotateOptions
	cmd := &cobra.Command{
		Use:   "rotate REPO [--drop FINGERPRINT | --lost FINGERPRINT]",
		Short: "Change the keys that sign a repository",
		Long: `Without --drop, adds a key: from then on everything is signed by both keys, and hosts
that trust either of them go on. Bring the new key.asc to the hosts, then run it
again with --drop and the fingerprint of the old key, which is trusted no longer;
rpm packages that it has signed are signed anew.

--lost is for a key whose private part is gone. If it was the only one, a new key
takes its place at once; hosts believe the repository again when they have the new
key.asc. docs/keys.md goes through all three, step by step.`,
		Example: `  kinectl repo rotate /srv/repository
  kinectl repo rotate /srv/repository --drop 0123456789ABCDEF0123456789ABCDEF01234567`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if o.Options, err = flags.options(); err != nil {
				return err
			}
			if o.PublicKey, err = readPublicKey(publicKey); err != nil {
				return err
			}
			o.KeyType = signing.KeyType(keyType)
			r, err := repo.Rotate(cmd.Context(), args[0], o)
			if err != nil {
				return repoError(err, args[0])
			}
			a.showRotated(args[0], r)
			return nil
		},
	}
	flags.addKey(cmd)
	cmd.Flags().StringVar(&o.NewKey, "new-key", "", "where the private key to add is, as with --key (default it is made)")
	cmd.Flags().StringVar(&publicKey, "public-key", "", "file of the public key of --new-key exec:COMMAND, PEM or DER")
	cmd.Flags().StringVar(&keyType, "key-type", string(signing.RSA4096), "type of a new key: rsa4096 or ed25519")
	cmd.Flags().StringVar(&o.Drop, "drop", "", "fingerprint of the key that hosts need no longer trust")
	cmd.Flags().StringVar(&o.Lost, "lost", "", "fingerprint of a key whose private part is lost")
	cmd.MarkFlagsMutuallyExclusive("drop", "lost")
	return cmd
}

func (a *app) showRotated(location string, r *repo.Rotated) {
	if a.json {
		a.printJSON(r)
		return
	}
	if r.Added != "" {
		fmt.Fprintf(a.stdout, "added key %s\n", r.Added)
	}
	if r.KeyFile != "" {
		fmt.Fprintf(a.stdout, "private key %s (new: keep a copy in a safe place)\n", r.KeyFile)
	}
	if r.Dropped != "" {
		fmt.Fprintf(a.stdout, "dropped key %s, %d rpm packages signed anew\n", r.Dropped, r.Resigned)
	}
	fmt.Fprintf(a.stdout, "hosts trust %s/key.asc: %s\n", strings.TrimRight(location, "/"), strings.Join(r.Fingerprints, ", "))
	if r.Added != "" {
		fmt.Fprintln(a.stdout, "next: bring key.asc to every host (its base configuration does that)")
	}
}
