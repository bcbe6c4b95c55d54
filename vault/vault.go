// Package vault reads and writes texts of Ansible Vault, and gives a service
// its secrets when it starts. Start at [DecryptEnv] in a service, at [Decrypt]
// and [Encrypt] in a tool. It needs the standard library only.
//
// # Encrypted variables
//
// A variable of the environment is encrypted when its value is a vault text,
// as ansible-vault writes it or in base64. A bundle is a variable named
// VAULT_BUNDLE or VAULT_BUNDLE_…: its text holds KEY=value lines by the rules of
// systemd's EnvironmentFile=, see [ParseBundle]. Fifty variables in one bundle
// take the time of one.
//
// # Where passwords come from
//
// In this order; all that are there are taken together:
//
//  1. the file vault-password in $CREDENTIALS_DIRECTORY, where systemd puts the
//     credential of LoadCredentialEncrypted=vault-password (systemd.exec(5))
//  2. the file that VAULT_PASSWORD_FILE names
//  3. the program itself, see [Embed]
//
// The first is tried first. It may be the wrong one for a text; the others are
// tried then, so that old and new texts can be read during a rotation. With
// SKIP_DECRYPT=true no password is looked for, and every value is taken as it is.
package vault

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
)

// Errors that a caller may ask for with errors.Is. No error of this package has
// a value or a password in its text.
var (
	ErrPassword   = errors.New("no password fits, or the text was changed") // its authentication fails: the two cannot be told apart
	ErrNoPassword = errors.New("it is encrypted, and there is no password")
	ErrDamaged    = errors.New("damaged vault text") // it has not the form of one
	ErrEncrypted  = errors.New("it is encrypted already")
)

// saltSize is what ansible-vault takes, in bytes.
const saltSize = 32

// Encrypt makes a vault text as ansible-vault writes it: format 1.1, or 1.2
// when the password has a vault id other than "default". It ends in a newline.
// Its salt is random for each text: AES-CTR would repeat its key stream with an
// equal one. The error is [ErrEncrypted] when plain is a vault text itself, damaged or not.
func Encrypt(plain []byte, p Password) ([]byte, error) {
	if LooksEncrypted(string(plain)) {
		return nil, fmt.Errorf("encrypt: %w", ErrEncrypted)
	}
	text, err := encryptWith(plain, p, newSalt())
	if err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	return text, nil
}

func newSalt() []byte {
	salt := make([]byte, saltSize)
	rand.Read(salt) // never fails, says its documentation
	return salt
}

func encryptWith(plain []byte, p Password, salt []byte) ([]byte, error) {
	if p.reveal() == "" {
		return nil, errors.New("the password is empty")
	}
	id := p.id
	if id == "default" { // what ansible-vault calls a password without an id
		id = ""
	}
	if id != "" && !validID(id) {
		return nil, errors.New("a vault id has printable characters without blanks and semicolons")
	}
	k, err := derive(p.reveal(), salt)
	if err != nil {
		return nil, err
	}
	sum, ciphertext := k.seal(plain)
	return envelope{id: id, salt: salt, sum: sum, ciphertext: ciphertext}.text(), nil
}

// EncryptBase64 is the same in one line of base64 without a newline, as it goes
// into an inventory: such a value is no vault text to Ansible, which hands it
// on as it is.
func EncryptBase64(plain []byte, p Password) (string, error) {
	text, err := Encrypt(plain, p)
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(text), nil
}

// Decrypt reads a vault text, raw or base64. It tries the passwords of the
// text's vault id first, then the others, in their order. The error is
// [ErrDamaged] or [ErrPassword].
//
// Blanks around the text and its lines do no harm. A vault id may be any that Ansible writes, also
// those that [Encrypt] does not. It is not authenticated by the format: whoever
// changes it changes only the order of the passwords.
func Decrypt(text []byte, passwords ...Password) ([]byte, error) {
	plain, err := newKeyring(passwords).open(text)
	if err != nil {
		return nil, fmt.Errorf("decrypt: %w", err)
	}
	return plain, nil
}

// Check tells without a password whether text, raw or base64, has the form of a
// vault text, and its vault id, "" for format 1.1. Whoever prints the id quotes it: it may have
// any character but a semicolon and a newline. The error is [ErrDamaged].
func Check(text []byte) (id string, err error) {
	e, err := parse(text)
	return e.id, err
}
