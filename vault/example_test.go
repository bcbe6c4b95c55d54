package vault_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/kinectl/kinectl/vault"
)

// A program that is not on the package service begins with this.
func ExampleDecryptEnv() {
	os.Setenv("SKIP_DECRYPT", "true") // local work
	os.Setenv("POSTGRES_DSN", "postgres://localhost/films")
	defer os.Unsetenv("SKIP_DECRYPT")

	if err := vault.DecryptEnv(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(os.Getenv("POSTGRES_DSN"))
	// Output: postgres://localhost/films
}

// The order in which passwords are tried: the credential, the file, the
// program. Each file may have two, while one replaces the other.
func ExamplePasswords() {
	dir, err := os.MkdirTemp("", "vault-*")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	for name, text := range map[string]string{"vault-password": "new\nold\n", "file": "third\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			log.Fatal(err)
		}
	}
	os.Setenv("CREDENTIALS_DIRECTORY", dir)
	os.Setenv("VAULT_PASSWORD_FILE", filepath.Join(dir, "file"))
	vault.Embed("fourth")
	defer os.Unsetenv("CREDENTIALS_DIRECTORY")
	defer os.Unsetenv("VAULT_PASSWORD_FILE")
	defer vault.Embed("")

	passwords, err := vault.Passwords()
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range passwords {
		fmt.Println(p, "of", p.From())
	}
	// Output:
	// (password) of $CREDENTIALS_DIRECTORY/vault-password
	// (password) of $CREDENTIALS_DIRECTORY/vault-password
	// (password) of the file of VAULT_PASSWORD_FILE
	// (password) of the program itself
}

// The whole way of a secret: encrypted on a laptop, decrypted in the service.
func ExampleEnviron() {
	text, err := vault.EncryptBase64([]byte("postgres://films:secret@db/films"), vault.NewPassword("", "old"))
	if err != nil {
		log.Fatal(err)
	}
	rotation, err := vault.ParsePasswords([]byte("new\nold\n"))
	if err != nil {
		log.Fatal(err)
	}
	values, err := vault.Environ([]string{"LOG_LEVEL=info", "POSTGRES_DSN=" + text}, rotation)
	fmt.Println(values, err)

	_, err = vault.Environ([]string{"POSTGRES_DSN=" + text}, rotation[:1])
	fmt.Println(err)
	// Output:
	// map[POSTGRES_DSN:postgres://films:secret@db/films] <nil>
	// POSTGRES_DSN: no password fits, or the text was changed (1 password tried)
}
