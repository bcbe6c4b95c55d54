package cli

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/kinectl/kinectl/internal/lazyregexp"
	"github.com/kinectl/kinectl/vault"
)

// maxSecret bounds what is read from standard input, in bytes.
const maxSecret = 16 << 20

// maxVariable is what Linux lets one variable of an environment have, with its
// name (execve(2), MAX_ARG_STRLEN), less room for the name.
const maxVariable = 128<<10 - 256

// maxBundle is less than that: a bundle grows, and so does its variable's name.
// A service whose bundle is too long would not be started at all, with the
// kernel's E2BIG alone.
const maxBundle = 120_000

// secretVariable is how a secret is called in the infra repository.
var secretVariable = lazyregexp.New(`^vault_[A-Za-z0-9_]+$`)

// encryptOptions are the flags of `kinectl vault encrypt`.
type encryptOptions struct {
	passwords                passwordFlags
	raw, bundle, keepNewline bool
	name                     string
}

func (a *app) vaultEncryptCommand() *cobra.Command {
	var o encryptOptions
	cmd := &cobra.Command{
		Use:   "encrypt",
		Short: "Encrypt standard input, as it goes into the infra repository",
		Long: `Reads a secret from standard input and prints it encrypted, as one line of base64.
A newline at its end is taken for that of the editor, not of the secret. From a
terminal it asks twice, without showing what is typed.

With --bundle standard input has many KEY=value lines, by the rules of systemd's
EnvironmentFile. They become one text: as the variable VAULT_BUNDLE it gives the
service all of them for the time that one secret takes. The result has at most
120,000 bytes.

With --json it prints {"name": ..., "value": ...}.`,
		Example: `  printf %s "$DSN" | kinectl vault encrypt --password-file films.password
  kinectl vault encrypt --password-file films.password --name vault_films_dsn >>group_vars/films.yml
  kinectl vault encrypt --password-file films.password --bundle --name vault_films <films.env`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.vaultEncrypt(o) },
	}
	o.passwords.add(cmd)
	cmd.Flags().BoolVar(&o.raw, "raw", false, "print the text as ansible-vault does, without base64")
	cmd.Flags().BoolVar(&o.bundle, "bundle", false, "standard input has KEY=value lines, which are checked")
	cmd.Flags().StringVar(&o.name, "name", "", "print a line of YAML with this variable: vault_films_dsn")
	cmd.Flags().BoolVar(&o.keepNewline, "keep-newline", false, "the newline at the end belongs to the secret")
	cmd.MarkFlagsMutuallyExclusive("raw", "name") // Ansible would decrypt it on the way
	return cmd
}

func (a *app) vaultEncrypt(o encryptOptions) error {
	if o.name != "" && !secretVariable.MatchString(o.name) {
		return usage(fmt.Errorf("--name cannot be %q", o.name), "vault_ and then letters, digits and _: so it is seen that a variable is encrypted")
	}
	passwords, err := o.passwords.read()
	if err != nil {
		return err
	}
	plain, err := a.secret(o)
	if err != nil {
		return err
	}
	text, err := vault.Encrypt(plain, passwords[0])
	if errors.Is(err, vault.ErrEncrypted) {
		return usage(err, "to change its password, use kinectl vault rekey")
	}
	if err != nil {
		return failed(err, "")
	}
	if o.bundle {
		if err := a.checkBundle(text, passwords); err != nil {
			return err
		}
	}
	if !o.raw {
		text = append(base64.StdEncoding.AppendEncode(nil, text), '\n')
	}
	switch size := len(text); {
	case o.bundle && size > maxBundle:
		return usage(fmt.Errorf("the bundle has %s when it is encrypted, and at most %s go into a variable of the environment", byteSize(int64(size)), byteSize(maxBundle)), "split it into VAULT_BUNDLE_A and VAULT_BUNDLE_B")
	case !o.raw && size > maxVariable:
		return usage(fmt.Errorf("the secret has %s, too many for a variable of the environment", byteSize(int64(len(plain)))), "at most 24 kB; give the service a file of that kind in another way")
	}
	switch {
	case a.json:
		a.printJSON(map[string]string{"name": o.name, "value": strings.TrimSuffix(string(text), "\n")})
	case o.name != "":
		fmt.Fprintf(a.stdout, "%s: %s", o.name, text)
	default:
		_, _ = a.stdout.Write(text)
	}
	return nil
}

// secret reads what is to be encrypted.
func (a *app) secret(o encryptOptions) ([]byte, error) {
	if f, ok := a.stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		if o.bundle {
			return nil, usage(errors.New("a bundle is not typed in"), "kinectl vault encrypt --bundle <FILE")
		}
		return a.askSecret(int(f.Fd()))
	}
	plain, err := io.ReadAll(io.LimitReader(a.stdin, maxSecret+1))
	if err != nil {
		return nil, failed(fmt.Errorf("read the secret: %w", err), "")
	}
	if len(plain) > maxSecret {
		return nil, usage(errors.New("the secret has more than 16 MiB"), "")
	}
	if !o.keepNewline {
		plain = bytes.TrimSuffix(bytes.TrimSuffix(plain, []byte("\n")), []byte("\r"))
	}
	if len(plain) == 0 {
		return nil, usage(errors.New("standard input is empty: there is nothing to encrypt"), "")
	}
	return plain, nil
}

// askSecret asks a person, twice.
func (a *app) askSecret(terminal int) ([]byte, error) {
	ask := func(what string) ([]byte, error) {
		fmt.Fprint(a.stderr, what)
		text, err := term.ReadPassword(terminal)
		fmt.Fprintln(a.stderr)
		if err != nil {
			return nil, failed(fmt.Errorf("read the secret: %w", err), "")
		}
		return text, nil
	}
	plain, err := ask("Secret: ")
	if err != nil {
		return nil, err
	}
	again, err := ask("Once more: ")
	switch {
	case err != nil:
		return nil, err
	case !bytes.Equal(plain, again):
		return nil, usage(errors.New("the two are not the same"), "")
	case len(plain) == 0:
		return nil, usage(errors.New("there is nothing to encrypt"), "")
	}
	return plain, nil
}

// checkBundle reads a bundle as a service will, and tells the names in it.
func (a *app) checkBundle(text []byte, passwords []vault.Password) error {
	variables, err := vault.Environ([]string{"VAULT_BUNDLE=" + string(text)}, passwords)
	if err != nil {
		return usage(fmt.Errorf("read the bundle: %w", err), "lines like KEY=value; see EnvironmentFile= in systemd.exec(5)")
	}
	if len(variables) == 0 {
		return usage(errors.New("there is no KEY=value line in it"), "")
	}
	fmt.Fprintf(a.stderr, "%s: %s\n", counted(len(variables), "variable"), strings.Join(slices.Sorted(maps.Keys(variables)), " "))
	return nil
}
