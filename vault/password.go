package vault

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Password is one password of a vault, and the vault id that it belongs to. It
// does not show when fmt, log/slog or encoding/json print it, alone or inside of
// something else.
type Password struct {
	id   string
	from string
	// fmt reaches the fields of a struct inside of a struct without asking its
	// methods, but does not follow a pointer there.
	secret *string
}

// NewPassword is a password with a vault id, which is empty for most. The
// secret is taken as it is; blanks around it are part of it.
func NewPassword(id, secret string) Password { return Password{id: id, secret: &secret} }

// ID is the vault id, "" without one.
func (p Password) ID() string { return p.id }

// From says in words where [Passwords] found it, "" for one from elsewhere.
func (p Password) From() string { return p.from }

// WithID is the same password with another vault id.
func (p Password) WithID(id string) Password {
	p.id = id
	return p
}

func (p Password) reveal() string {
	if p.secret == nil {
		return ""
	}
	return *p.secret
}

// String hides the password.
func (Password) String() string { return "(password)" }

// Format hides the password from every verb and flag of fmt.
func (p Password) Format(f fmt.State, _ rune) { io.WriteString(f, p.String()) }

// MaxPasswordFile is the length of the longest password file, in bytes.
const MaxPasswordFile = 64 << 10

// maxPasswords is how many a file may have: a text that none fits takes the time of all.
const maxPasswords = 8

// passwordBlanks are those that ansible-vault does not count.
const passwordBlanks = " \t\r\n\v\f"

// ParsePasswords reads a password file: a password a line without the blanks
// around it, the one that encrypts first; during a rotation there are two.
// Empty lines mean nothing, and neither does a password that is there again. A file of
// ansible-vault with one line is the same.
//
// An error is no password at all, more than 8, more than [MaxPasswordFile], a password that
// [LooksEncrypted], and a text that begins with #!: ansible-vault would run that, and
// this package runs nothing. It has nothing of the text in it.
func ParsePasswords(text []byte) ([]Password, error) {
	encrypted := errors.New("it is itself encrypted: decrypt it first")
	switch {
	case len(text) > MaxPasswordFile:
		return nil, fmt.Errorf("it has more than %d KiB", MaxPasswordFile>>10)
	case bytes.HasPrefix(bytes.TrimLeft(text, passwordBlanks), []byte("#!")):
		return nil, errors.New("it is a script, and scripts are not run: give a file with what it prints")
	case LooksEncrypted(string(text)):
		return nil, encrypted
	}
	var all []Password
	for line := range bytes.Lines(text) {
		secret := string(bytes.Trim(line, passwordBlanks))
		if secret == "" {
			continue
		}
		if LooksEncrypted(secret) {
			return nil, encrypted
		}
		if all = distinct(append(all, NewPassword("", secret))); len(all) > maxPasswords {
			return nil, fmt.Errorf("it has more than %d passwords", maxPasswords)
		}
	}
	if len(all) == 0 {
		return nil, errors.New("there is no password in it")
	}
	return all, nil
}

// distinct leaves out what would be tried twice.
func distinct(all []Password) []Password {
	var kept []Password
	for _, p := range all {
		same := func(q Password) bool { return q.id == p.id && q.reveal() == p.reveal() }
		if !slices.ContainsFunc(kept, same) {
			kept = append(kept, p)
		}
	}
	return kept
}
