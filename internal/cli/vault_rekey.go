package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/secrets"
	"github.com/kinectl/kinectl/vault"
)

func (a *app) vaultRekeyCommand() *cobra.Command {
	var old passwordFlags
	var newFile, newID string
	var leaveOthers bool
	cmd := &cobra.Command{
		Use:   "rekey DIR",
		Short: "Give all secrets of a tree another password",
		Long: `Encrypts every vault text below DIR anew: base64 variables, !vault blocks and whole
files, in any text file. Everything else in the files stays byte for byte; vault ids
stay too. Texts that have the new password already are left alone.

All texts are decrypted before anything is written: when one cannot be, nothing
changes. A rekey that is killed is undone or finished by the next one, which needs
no password for that; lint and deploy tell of it, and refuse.

In an infra repository each service has its own password: --leave-others leaves the
texts alone that the old one does not fit. Their number is told.

With --json it prints {"finished": ..., "files": ..., "texts": ..., "already": ...,
"others": ...}.`,
		Example: `  kinectl vault rekey --password-file old --new-password-file new infra
  kinectl vault rekey --password-file films.old --new-password-file films.new --leave-others infra
  kinectl vault rekey infra        # only finishes one that was interrupted`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if newFile == "" && newID == "" {
				return a.vaultFinish(args[0], old)
			}
			p, err := rekeyPasswords(old, newFile, newID)
			if err != nil {
				return err
			}
			p.LeaveOthers = leaveOthers
			return a.vaultRekey(args[0], p)
		},
	}
	old.add(cmd)
	cmd.Flags().StringVar(&newFile, "new-password-file", "", "file whose first line is the new password")
	cmd.Flags().StringVar(&newID, "new-vault-id", "", "ID@FILE: the new password, and the id that texts get")
	cmd.Flags().BoolVar(&leaveOthers, "leave-others", false, "leave texts alone that the old password does not fit")
	cmd.MarkFlagsMutuallyExclusive("new-password-file", "new-vault-id")
	_ = cmd.MarkFlagFilename("new-password-file")
	return cmd
}

func rekeyPasswords(old passwordFlags, newFile, newID string) (p secrets.Passwords, err error) {
	if p.Old, err = old.read(); err != nil {
		return p, err
	}
	var found []vault.Password
	if newFile != "" {
		found, err = passwordsIn(newFile)
	} else {
		found, err = (&passwordFlags{ids: []string{newID}}).read()
	}
	if err != nil {
		return p, err
	}
	p.New = found[0]
	return p, nil
}

// vaultFinish is a rekey without a new password: all it can do is to finish.
func (a *app) vaultFinish(dir string, old passwordFlags) error {
	if secrets.Unfinished(dir) == "" || old.file != "" || len(old.ids) > 0 {
		return usage(errors.New("there is no new password"), "--new-password-file names a file whose first line it is")
	}
	files, err := secrets.Finish(dir)
	if err != nil {
		return failed(err, "")
	}
	a.printRekey(secrets.Report{Finished: files})
	return nil
}

func (a *app) vaultRekey(dir string, p secrets.Passwords) error {
	report, err := secrets.Rekey(dir, p)
	switch {
	case errors.Is(err, vault.ErrPassword):
		return failed(err, "nothing was changed; another service's secrets have another password: --leave-others leaves them alone")
	case errors.Is(err, vault.ErrDamaged):
		return failed(err, "nothing was changed; take what is damaged from git again")
	case err != nil:
		return failed(err, "")
	}
	a.printRekey(report)
	return nil
}

func (a *app) printRekey(r secrets.Report) {
	if a.json {
		a.printJSON(r)
		return
	}
	if r.Finished > 0 {
		fmt.Fprintf(a.stdout, "finished a rekey of %s that was interrupted\n", counted(r.Finished, "file"))
	}
	if r.Texts > 0 {
		fmt.Fprintf(a.stdout, "encrypted %s anew, in %s\n", counted(r.Texts, "secret"), counted(r.Files, "file"))
	}
	if r.Already > 0 {
		fmt.Fprintf(a.stdout, "%s had the new password already\n", counted(r.Already, "secret"))
	}
	if r.Others > 0 {
		fmt.Fprintf(a.stdout, "%s of another password left alone\n", counted(r.Others, "secret"))
	}
	if r == (secrets.Report{}) {
		fmt.Fprintln(a.stdout, "there is no vault text")
	}
}
