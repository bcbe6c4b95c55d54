package signing

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kinectl/kinectl/internal/lazyregexp"
)

// referenceKind is where a reference points to.
type referenceKind int

const (
	fileKey referenceKind = iota
	envKey
	gpgKey
	execKey
)

// reference names a private key as a user writes it after --key.
type reference struct {
	kind        referenceKind
	value       string // path, variable, or command
	fingerprint string // gpg: always; exec: where it is said; upper case
}

var (
	wholeFingerprint = lazyregexp.New(`^[0-9A-F]{40}$`)
	variableName     = lazyregexp.New(`^[A-Za-z_][A-Za-z0-9_]*$`)
	commandWithKey   = lazyregexp.New(`^([0-9A-Fa-f]{40}):`)
)

func parseReference(text string) (reference, error) {
	if strings.ContainsAny(text, "\r\n") || strings.Contains(text, "-----BEGIN") {
		// Whatever it is, it is not shown: it may be a private key.
		return reference{}, errors.New("a key reference says where a private key is, and is not the key itself: give a FILE, env:NAME, gpg:FINGERPRINT or exec:COMMAND")
	}
	kind, value, found := strings.Cut(text, ":")
	switch {
	case found && kind == "env":
		if !variableName.MatchString(value) {
			return reference{}, errors.New("key reference env:…: what follows is not the name of a variable")
		}
		return reference{kind: envKey, value: value}, nil
	case found && kind == "gpg":
		// People paste it in groups of four, as gpg shows it.
		fingerprint := strings.ToUpper(strings.ReplaceAll(value, " ", ""))
		if !wholeFingerprint.MatchString(fingerprint) {
			return reference{}, fmt.Errorf("key reference gpg:%s: give the whole fingerprint, 40 hexadecimal digits (gpg --list-secret-keys)", value)
		}
		return reference{kind: gpgKey, fingerprint: fingerprint}, nil
	case found && kind == "exec":
		r := reference{kind: execKey, value: value}
		if m := commandWithKey.FindStringSubmatch(value); m != nil {
			r.fingerprint, r.value = strings.ToUpper(m[1]), value[len(m[0]):]
		}
		if strings.TrimSpace(r.value) == "" {
			return reference{}, errors.New("key reference exec: without a command")
		}
		return r, nil
	case text == "":
		return reference{}, errors.New("an empty key reference: give a FILE, env:NAME, gpg:FINGERPRINT or exec:COMMAND")
	}
	return reference{value: text}, nil
}

// String is how a message names it: without the command, which may be long.
func (r reference) String() string {
	switch r.kind {
	case envKey:
		return "the variable " + r.value
	case gpgKey:
		return "gpg"
	case execKey:
		return "the command of exec:"
	}
	return r.value
}

// keys reads the private keys of a file or a variable.
func (r reference) keys() (Signers, error) {
	if r.kind == fileKey {
		keys, err := readFile(r.value)
		var all Signers
		for _, key := range keys {
			all = append(all, key)
		}
		return all, err
	}
	kept, err := readVariable(r.value)
	if err == nil && len(kept) == 0 {
		err = fmt.Errorf("%w: the variable %s is not set", ErrNoKey, r.value)
	}
	var all Signers
	for _, name := range slices.Sorted(maps.Keys(kept)) {
		all = append(all, kept[name])
	}
	return all, err
}

// IsFile reports whether a reference is the name of a file.
func IsFile(text string) bool {
	r, err := parseReference(text)
	return err == nil && r.kind == fileKey
}

// Load opens the private keys that a reference names, whoever trusts them: the
// first of a new repository, or the next of an old one. A command has no public
// key of its own, so exec: is an error here; [Certify] makes one.
func Load(ctx context.Context, text string) (Signers, error) {
	r, err := parseReference(text)
	if err != nil {
		return nil, err
	}
	switch r.kind {
	case gpgKey:
		c, err := exportGPG(ctx, r.fingerprint, Environ())
		if err != nil {
			return nil, err
		}
		s, err := newGPG(ctx, c, r.fingerprint, Environ())
		return Signers{s}, err
	case execKey:
		return nil, fmt.Errorf("%w: a command has no public key of its own; give the public key too", ErrNoKey)
	}
	return r.keys()
}
