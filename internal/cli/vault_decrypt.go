package cli

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/vault"
)

func (a *app) vaultDecryptCommand() *cobra.Command {
	var passwords passwordFlags
	cmd := &cobra.Command{
		Use:   "decrypt",
		Short: "Decrypt standard input",
		Long: `Reads one vault text from standard input, as ansible-vault writes it or in base64,
and prints what is in it, byte for byte. On a terminal a newline follows.

With --json it prints {"value": ...}.`,
		Example: `  kinectl vault decrypt --password-file films.password <secret
  kinectl vault decrypt --vault-id films@films.password <secret`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			keys, err := passwords.read()
			if err != nil {
				return err
			}
			// Its text has four bytes for one, or six in base64.
			text, err := io.ReadAll(io.LimitReader(a.stdin, 6*maxSecret))
			if err != nil {
				return failed(fmt.Errorf("read the vault text: %w", err), "")
			}
			if !vault.IsEncrypted(text) {
				return usage(errors.New("standard input is no vault text"), "to see the secrets of a file of variables, use kinectl vault view FILE")
			}
			plain, err := vault.Decrypt(text, keys...)
			if err != nil {
				return vaultError(err)
			}
			if a.json {
				a.printJSON(map[string]string{"value": string(plain)})
				return nil
			}
			if _, err := a.stdout.Write(plain); err != nil {
				return failed(fmt.Errorf("print what was decrypted: %w", err), "")
			}
			if terminal(a.stdout) {
				fmt.Fprintln(a.stdout)
			}
			return nil
		},
	}
	passwords.add(cmd)
	return cmd
}
