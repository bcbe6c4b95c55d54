package signing

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Source says where private keys are looked for.
type Source struct {
	// Keys are references, each a FILE, env:NAME, gpg:FINGERPRINT or
	// exec:[FINGERPRINT:]COMMAND. When there are some, nothing else is asked.
	Keys []string
	// Dir holds a file FINGERPRINT.asc for each key; with no references it is
	// asked first, then [Variable]. "" is no directory.
	Dir string
}

// Find returns a signer for every key of trusted, in its order. A key without
// its private part is [ErrNoKey], which names all that are missing, where they
// were looked for and what to do. What is found but not trusted is an error in
// a reference that holds nothing else; in the variable, which may serve other
// repositories too, it is passed over.
func Find(ctx context.Context, trusted Keyring, o Source) (Signers, error) {
	if len(trusted.certificates) == 0 {
		return nil, fmt.Errorf("%w: the repository trusts no key", ErrNoKey)
	}
	if len(o.Keys) == 0 {
		return findKept(trusted, o.Dir)
	}
	f := finder{trusted: trusted, found: map[string]Signer{}}
	for _, text := range o.Keys {
		r, err := parseReference(text)
		if err != nil {
			return nil, err
		}
		f.references = append(f.references, r)
	}
	for _, r := range f.references {
		if err := f.add(ctx, r); err != nil {
			return nil, err
		}
	}
	return f.all()
}

// finder gathers what references give.
type finder struct {
	trusted    Keyring
	references []reference
	found      map[string]Signer // by fingerprint
	command    string            // of exec: without a fingerprint, for all keys that nothing else has
}

func (f *finder) add(ctx context.Context, r reference) error {
	if r.kind == execKey && r.fingerprint == "" {
		if f.command != "" {
			return errors.New("two commands that do not say for which key: write exec:FINGERPRINT:COMMAND")
		}
		f.command = r.value
		return nil
	}
	signers, err := f.open(ctx, r)
	if err != nil {
		return err
	}
	known := false
	for _, s := range signers {
		if f.trusted.Has(s.Fingerprint()) {
			f.found[s.Fingerprint()] = s
			known = true
		}
	}
	if !known {
		return fmt.Errorf("%s holds key %s, but hosts trust %s", r, signers, f.trusted)
	}
	return nil
}

// open gives the keys of a reference. For gpg and commands the public key is
// the trusted one.
func (f *finder) open(ctx context.Context, r reference) (Signers, error) {
	if r.kind == fileKey || r.kind == envKey {
		return r.keys()
	}
	i := slices.IndexFunc(f.trusted.certificates, func(c certificate) bool { return c.key(r.fingerprint) != nil })
	if i < 0 {
		return nil, fmt.Errorf("%s names key %s, but hosts trust %s", r, r.fingerprint, f.trusted)
	}
	var s Signer
	var err error
	if r.kind == gpgKey {
		s, err = newGPG(ctx, f.trusted.certificates[i], r.fingerprint, f.environ())
	} else {
		s, err = newCommand(f.trusted.certificates[i], r.fingerprint, r.value, f.environ())
	}
	return Signers{s}, err
}

// environ is what other programs may see: no variable with a private key.
func (f *finder) environ() []string {
	var secret []string
	for _, r := range f.references {
		if r.kind == envKey {
			secret = append(secret, r.value)
		}
	}
	return Environ(secret...)
}

func (f *finder) all() (Signers, error) {
	var all Signers
	var missing, asked []string
	for _, c := range f.trusted.certificates {
		s := f.found[c.fingerprint()]
		if s == nil && f.command != "" {
			var err error
			if s, err = newCommand(c, c.fingerprint(), f.command, f.environ()); err != nil {
				return nil, err
			}
		}
		if s == nil {
			missing = append(missing, c.fingerprint())
			continue
		}
		all = append(all, s)
	}
	if missing == nil {
		return all, nil
	}
	for _, r := range f.references {
		asked = append(asked, r.String())
	}
	return nil, fmt.Errorf("%w: %s is not in %s; every root is signed by all keys of key.asc: give --key for each, or drop the key from the repository",
		ErrNoKey, strings.Join(missing, " and "), strings.Join(asked, ", "))
}
