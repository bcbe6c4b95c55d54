package vault

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestPasswordsOf has every combination of the three places, in the order of the package comment.
func TestPasswordsOf(t *testing.T) {
	credentials := t.TempDir()
	write(t, filepath.Join(credentials, "vault-password"), "of the credential\nolder one\n")
	file := filepath.Join(t.TempDir(), "password")
	write(t, file, "of the file\n")
	t.Cleanup(func() { Embed("") })

	f := func(program string, environ []string, want ...string) {
		t.Helper()
		Embed(program)
		got, err := PasswordsOf(environ)
		if err != nil || !slices.Equal(reveal(got), want) {
			t.Errorf("%q: %q, %v, want %q", environ, reveal(got), err, want)
		}
	}
	inDirectory, inFile := "CREDENTIALS_DIRECTORY="+credentials, "VAULT_PASSWORD_FILE="+file
	f("", nil)
	f("", []string{inDirectory}, "of the credential", "older one")
	f("", []string{inFile}, "of the file")
	f("of the program", nil, "of the program")
	f("", []string{inFile, inDirectory}, "of the credential", "older one", "of the file")
	f("of the program", []string{inFile}, "of the file", "of the program")
	f("of the program\nolder one", []string{inFile, inDirectory}, "of the credential", "older one", "of the file", "of the program")
	f("of the program", []string{inFile, inDirectory, "SKIP_DECRYPT=true"})
	f("of the program", []string{"VAULT_PASSWORD_FILE=/not/there", "SKIP_DECRYPT=true"})
	f("of the program", []string{"VAULT_PASSWORD_FILE=", "CREDENTIALS_DIRECTORY="}, "of the program")
	f("", []string{"CREDENTIALS_DIRECTORY=" + t.TempDir()}) // with other credentials only
}

func TestPasswordsFaults(t *testing.T) {
	t.Cleanup(func() { Embed("") })
	dir := t.TempDir()
	write(t, filepath.Join(dir, "vault-password"), "\n")
	f := func(program, environ, want string) {
		t.Helper()
		Embed(program)
		got, err := PasswordsOf([]string{environ})
		if err == nil || !strings.Contains(err.Error(), want) || got != nil {
			t.Errorf("%q: %d passwords, %v, want %q", environ, len(got), err, want)
		}
	}
	f("", "VAULT_PASSWORD_FILE="+dir+"/missing", "read the vault passwords of the file of VAULT_PASSWORD_FILE: open "+dir+"/missing: no such file")
	f("", "VAULT_PASSWORD_FILE="+dir, "is a directory")
	f("", "CREDENTIALS_DIRECTORY="+dir, "read the vault passwords of $CREDENTIALS_DIRECTORY/vault-password: there is no password in it")
	long := filepath.Join(dir, "long")
	write(t, long, "secret"+strings.Repeat("\n", MaxPasswordFile))
	f("", "VAULT_PASSWORD_FILE="+long, "it has more than 64 KiB")
	f("", "VAULT_PASSWORD_FILE=/dev/zero", "it has more than 64 KiB") // and the test ends
	f("", "VAULT_PASSWORD_FILE=missing", "read the vault passwords of the file of VAULT_PASSWORD_FILE: open (its value is not shown, as it is no absolute path in a folder that is there): no such file")
	f("", "VAULT_PASSWORD_FILE=/missing", "open (its value is not shown")
	f("", "VAULT_PASSWORD_FILE="+dir+"/missing/missing", "open (its value is not shown")
	f(" ", "", "read the vault passwords of the program itself: there is no password in it")
	f("x", "SKIP_DECRYPT=maybe", "SKIP_DECRYPT: must be true or false")
}

// TestWherePasswordsAre says for each place why it gave none.
func TestWherePasswordsAre(t *testing.T) {
	t.Cleanup(func() { Embed("") })
	f := func(program string, variables map[string]string, want string) {
		t.Helper()
		Embed(program)
		if got := whereLooked(variables).Error(); got != "a password is looked for in "+want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
	f("", nil, "$CREDENTIALS_DIRECTORY/vault-password (CREDENTIALS_DIRECTORY is not set), the file of VAULT_PASSWORD_FILE (VAULT_PASSWORD_FILE is not set), the program itself (it was packaged without one)")
	f("x", map[string]string{"CREDENTIALS_DIRECTORY": "/x", "VAULT_PASSWORD_FILE": "/y"}, "$CREDENTIALS_DIRECTORY/vault-password (the service has no such credential), the file of VAULT_PASSWORD_FILE, the program itself")
}
