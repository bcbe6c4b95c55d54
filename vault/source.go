package vault

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// The variables that say where passwords are, and whether they are needed.
const (
	credentialsDirectory = "CREDENTIALS_DIRECTORY" // set by systemd
	credential           = "vault-password"
	passwordFile         = "VAULT_PASSWORD_FILE"
	skipDecrypt          = "SKIP_DECRYPT"
)

// embedded is the one thing that outlives a call here: the generated file of package main
// has no other way to hand something to a library that it does not know.
var embedded string

// Embed is for the source file that kinectl package generates, and nothing
// else: it takes the password that is in the program, as [ParsePasswords] reads
// it. It must be called from an init function, before anything else of this package.
func Embed(passwords string) { embedded = passwords }

// Passwords finds the passwords of this process in the order that the package
// documents. None is no error; a file that is named but cannot be read is one. With
// SKIP_DECRYPT=true it looks for none.
func Passwords() ([]Password, error) { return PasswordsOf(os.Environ()) }

// PasswordsOf is the same with another environment ("KEY=value").
func PasswordsOf(environ []string) ([]Password, error) {
	variables := variablesOf(environ)
	skip, err := skipped(variables)
	if skip || err != nil {
		return nil, err
	}
	var all []Password
	for _, s := range sourcesOf(variables) {
		text, err := s.read()
		if err == nil && text != nil {
			var found []Password
			found, err = ParsePasswords(text)
			for _, p := range found {
				p.from = s.name
				all = append(all, p)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("read the vault passwords of %s: %w", s.name, err)
		}
	}
	return distinct(all), nil
}

// source is a place where a password may be.
type source struct {
	name    string
	missing string                 // why it is not there, "" when it should be
	read    func() ([]byte, error) // nil and no error when it is not there
}

// sourcesOf gives all of them in the order in which they are tried.
func sourcesOf(variables map[string]string) []source {
	nothing := func() ([]byte, error) { return nil, nil }
	directory, file := variables[credentialsDirectory], variables[passwordFile]

	fromCredential := source{name: "$" + credentialsDirectory + "/" + credential, missing: credentialsDirectory + " is not set", read: nothing}
	if directory != "" {
		fromCredential.missing = "the service has no such credential"
		fromCredential.read = func() ([]byte, error) {
			text, err := os.ReadFile(filepath.Join(directory, credential))
			if errors.Is(err, fs.ErrNotExist) { // a service may have other credentials only
				return nil, nil
			}
			return text, err
		}
	}
	fromFile := source{name: "the file of " + passwordFile, missing: passwordFile + " is not set", read: nothing}
	if file != "" {
		fromFile.missing = ""
		fromFile.read = func() ([]byte, error) { return os.ReadFile(file) }
	}
	fromProgram := source{name: "the program itself", missing: "it was packaged without one", read: nothing}
	if embedded != "" {
		fromProgram.missing = ""
		fromProgram.read = func() ([]byte, error) { return []byte(embedded), nil }
	}
	return []source{fromCredential, fromFile, fromProgram}
}

// whereLooked says where a password would have been found.
func whereLooked(variables map[string]string) error {
	var said []string
	for _, s := range sourcesOf(variables) {
		if s.missing == "" {
			said = append(said, s.name)
			continue
		}
		said = append(said, s.name+" ("+s.missing+")")
	}
	return errors.New("a password is looked for in " + strings.Join(said, ", "))
}

// skipped reads SKIP_DECRYPT.
func skipped(variables map[string]string) (bool, error) {
	value := variables[skipDecrypt]
	if value == "" {
		return false, nil
	}
	skip, err := strconv.ParseBool(value)
	if err != nil {
		return false, &VariableError{skipDecrypt, errors.New("must be true or false")}
	}
	return skip, nil
}
