package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/vault"
)

// passwordVariable names a password file where --password-file is not given.
const passwordVariable = "KINECTL_VAULT_PASSWORD_FILE"

const passwordHint = "--password-file names a file with a password a line, " + passwordVariable + " in the environment too"

// vaultCommand is `kinectl vault`.
func (a *app) vaultCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "vault",
		Short: "Encrypt secrets for the infra repository, and look after them",
		Long: `Reads and writes texts of Ansible Vault (formats 1.1 and 1.2), raw or base64. In
the infra repository a secret is a variable of base64, which Ansible hands on as
it is; the service decrypts it when it starts.

A password file has a password a line: the first encrypts, all decrypt, so that
there are two during a rotation. It is read and never run. --password-file - is
not known; a shell's <(pass show films) is.`,
		Example: `  kinectl vault encrypt --password-file films.password --name vault_films_dsn <dsn
  kinectl vault view --password-file films.password group_vars/all.yml
  kinectl vault rekey --password-file old --new-password-file new infra
  kinectl vault lint infra`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.vaultEncryptCommand(), a.vaultDecryptCommand(), a.vaultViewCommand(), a.vaultRekeyCommand(), a.vaultLintCommand(), a.vaultHookCommand())
	return cmd
}

// passwordFlags say which passwords a verb has.
type passwordFlags struct {
	file string
	ids  []string // ID@FILE
}

func (f *passwordFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.file, "password-file", "", "file with a password a line (default $"+passwordVariable+")")
	cmd.Flags().StringArrayVar(&f.ids, "vault-id", nil, "ID@FILE: a password file whose texts carry an id (format 1.2); may be repeated")
	_ = cmd.MarkFlagFilename("password-file")
}

// read returns the passwords, those of --password-file first.
func (f *passwordFlags) read() ([]vault.Password, error) {
	file := f.file
	if file == "" && len(f.ids) == 0 {
		file = os.Getenv(passwordVariable)
	}
	var all []vault.Password
	if file != "" {
		found, err := passwordsIn(file)
		if err != nil {
			return nil, err
		}
		all = found
	}
	for _, named := range f.ids {
		id, file, ok := strings.Cut(named, "@")
		if !ok || id == "" || file == "" || strings.ContainsAny(id, "; \t\n") {
			return nil, usage(fmt.Errorf("--vault-id %q is not ID@FILE", named), "like --vault-id films@films.password")
		}
		found, err := passwordsIn(file)
		if err != nil {
			return nil, err
		}
		for _, p := range found {
			all = append(all, p.WithID(id))
		}
	}
	if len(all) == 0 {
		return nil, usage(errors.New("there is no vault password"), passwordHint)
	}
	return all, nil
}

// passwordsIn reads one password file.
func passwordsIn(file string) ([]vault.Password, error) {
	text, err := readPasswordFile(file)
	if err != nil {
		return nil, err
	}
	all, err := vault.ParsePasswords(text)
	if err != nil {
		return nil, usage(fmt.Errorf("read the passwords in %s: %w", file, err), passwordHint)
	}
	return all, nil
}

// readPasswordFile refuses a file that ansible-vault would run to be told a
// password: its own text is none.
func readPasswordFile(file string) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, usage(fmt.Errorf("read the passwords: %w", err), passwordHint)
	}
	if info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0 {
		return nil, usage(fmt.Errorf("read the passwords in %s: it is a program", file), "kinectl runs none: give its output as a file, or chmod -x what is no program")
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, usage(fmt.Errorf("read the passwords: %w", err), passwordHint)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, vault.MaxPasswordFile+1)) // what is longer is refused
	if err != nil {
		return nil, usage(fmt.Errorf("read the passwords: %w", err), passwordHint)
	}
	return text, nil
}

// vaultError gives an error of the vault its exit code and its hint.
func vaultError(err error) error {
	switch {
	case errors.Is(err, vault.ErrPassword):
		return failed(err, "is the password file that of this service? After a rotation the old password may be needed, on a line of its own")
	case errors.Is(err, vault.ErrDamaged):
		return failed(err, "a vault text begins with $ANSIBLE_VAULT;1.1;AES256, or is base64 of such a one, and must be whole")
	}
	return failed(err, "")
}
