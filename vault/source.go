package vault

import (
	"errors"
	"fmt"
	"io"
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
			text, err := readFile(filepath.Join(directory, credential))
			if errors.Is(err, fs.ErrNotExist) { // a service may have other credentials only
				return nil, nil
			}
			return text, err
		}
	}
	fromFile := source{name: "the file of " + passwordFile, missing: passwordFile + " is not set", read: nothing}
	if file != "" {
		fromFile.missing = ""
		fromFile.read = func() ([]byte, error) { return readNamed(file) }
	}
	fromProgram := source{name: "the program itself", missing: "it was packaged without one", read: nothing}
	if embedded != "" {
		fromProgram.missing = ""
		fromProgram.read = func() ([]byte, error) { return []byte(embedded), nil }
	}
	return []source{fromCredential, fromFile, fromProgram}
}

// readFile reads a byte more than a password file may have, so that one that is too long is
// seen, and no more: it may be a device.
func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, MaxPasswordFile+1))
}

// readNamed leaves the name out of the error when it may be the password itself, put where
// the path of its file belongs.
func readNamed(name string) ([]byte, error) {
	text, err := readFile(name)
	var of *fs.PathError
	if errors.As(err, &of) && !isPath(name) {
		return nil, fmt.Errorf("%s (its value is not shown, as it is no absolute path in a folder that is there): %w", of.Op, of.Err)
	}
	return text, err
}

// isPath tells that a name is absolute and its file is there, or at least the file's folder. The
// folder of all that begins with a slash is there, and a password may.
func isPath(name string) bool {
	if !filepath.IsAbs(name) {
		return false
	}
	if _, err := os.Lstat(name); err == nil {
		return true
	}
	folder, err := os.Stat(filepath.Dir(name))
	return err == nil && folder.IsDir() && filepath.Dir(name) != "/"
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
