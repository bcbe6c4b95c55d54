package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/secrets"
	"github.com/kinectl/kinectl/vault"
)

// viewed is one secret as `kinectl vault view` shows it.
type viewed struct {
	File  string `json:"file"`
	Line  int    `json:"line"`
	Name  string `json:"name"` // "" for a file that is one vault text
	Value string `json:"value"`
	Error string `json:"error,omitempty"` // why there is no value
}

func (a *app) vaultViewCommand() *cobra.Command {
	var passwords passwordFlags
	cmd := &cobra.Command{
		Use:   "view FILE...",
		Short: "Show the secrets in files of the infra repository",
		Long: `Prints every vault text of the files with the name of its variable, decrypted. A
file that is one vault text is printed as it is. Texts of other services, which the
password does not fit, are named; when it fits none, the exit code is 1.

With --json it prints {"secrets": [...]}; a secret has file, line, name and value
or error.`,
		Example: `  kinectl vault view --password-file films.password group_vars/films.yml`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, files []string) error {
			keys, err := passwords.read()
			if err != nil {
				return err
			}
			return a.vaultView(files, keys)
		},
	}
	passwords.add(cmd)
	return cmd
}

func (a *app) vaultView(files []string, keys []vault.Password) error {
	all, shown := []viewed{}, 0
	var bad error
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			return usage(fmt.Errorf("read the secrets: %w", err), "")
		}
		for _, t := range secrets.Find(body) {
			one := viewed{File: file, Line: t.Line, Name: t.Name}
			plain, err := vault.Decrypt(body[t.From:t.To], keys...)
			if err != nil {
				one.Error, bad = err.Error(), fmt.Errorf("%s:%d: %w", file, t.Line, err)
			} else {
				one.Value = string(plain)
				shown++
			}
			all = append(all, one)
		}
	}
	switch {
	case len(all) == 0:
		return usage(fmt.Errorf("there is no vault text in %s", strings.Join(files, " ")), "")
	case shown == 0:
		return vaultError(bad)
	case a.json:
		a.printJSON(map[string][]viewed{"secrets": all})
		return nil
	}
	for _, one := range all {
		switch {
		case one.Error != "":
			fmt.Fprintf(a.stdout, "# %s:%d: %s: %s\n", one.File, one.Line, one.Name, one.Error)
		case one.Name == "":
			fmt.Fprintln(a.stdout, strings.TrimSuffix(one.Value, "\n"))
		default:
			fmt.Fprintf(a.stdout, "%s: %s\n", one.Name, asYAML(one.Value))
		}
	}
	return nil
}

// asYAML writes a text as a value: a block for one of many lines, else quoted as
// JSON does, which YAML reads.
func asYAML(text string) string {
	lines := strings.TrimSuffix(text, "\n")
	if strings.Contains(lines, "\n") && !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' }) && lines[0] != ' ' && lines[0] != '\n' {
		sign := map[bool]string{true: "|", false: "|-"}[lines != text]
		return sign + "\n  " + strings.ReplaceAll(lines, "\n", "\n  ")
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(text); err != nil {
		panic(errors.New("a string cannot be written as JSON"))
	}
	return strings.TrimSuffix(b.String(), "\n")
}
