package signing

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

const maxKeys = 1 << 20 // bytes of a file of keys

// Keyring is the public keys that a reader trusts, in their order: key.asc.
// The zero Keyring trusts nobody. It never changes and may be used by many at
// the same time.
type Keyring struct {
	certificates []certificate
}

// certificate is one public key with its names and bindings.
type certificate struct {
	entity  *openpgp.Entity
	packets []byte
}

func certificateOf(e *openpgp.Entity) certificate {
	var b bytes.Buffer
	if err := e.Serialize(&b); err != nil {
		panic(err) // a buffer takes everything, and what was parsed can be written
	}
	return certificate{e, b.Bytes()}
}

func (c certificate) fingerprint() string { return fingerprint(c.entity.PrimaryKey) }

// key is the primary key or the subkey of that fingerprint, or nil.
func (c certificate) key(wanted string) *packet.PublicKey {
	if c.fingerprint() == wanted {
		return c.entity.PrimaryKey
	}
	for _, s := range c.entity.Subkeys {
		if fingerprint(s.PublicKey) == wanted {
			return s.PublicKey
		}
	}
	return nil
}

// ParseKeyring reads public keys: armored blocks with one or more each, with
// any text around them, or binary packets. One that cannot be read and a
// private key, which would be given to everybody, are errors. Of two with one
// fingerprint the later stays.
func ParseKeyring(body []byte) (Keyring, error) {
	if len(body) > maxKeys {
		return Keyring{}, fmt.Errorf("not an OpenPGP public key: longer than %d bytes", maxKeys)
	}
	var k Keyring
	block, rest := nextBlock(body)
	if block == nil {
		return k.read(bytes.NewReader(body))
	}
	for ; block != nil; block, rest = nextBlock(rest) {
		b, err := decodeArmor(block, openpgp.PublicKeyType, openpgp.PrivateKeyType)
		if err != nil {
			return Keyring{}, fmt.Errorf("not an OpenPGP public key: %w", err)
		}
		if k, err = k.read(b); err != nil {
			return Keyring{}, err
		}
	}
	return k, nil
}

// read adds certificates of binary packets.
func (k Keyring) read(r io.Reader) (Keyring, error) {
	packets := packet.NewReader(r)
	for n := 0; ; n++ {
		var e *openpgp.Entity
		err := noPanic(func() (err error) { e, err = openpgp.ReadEntity(packets); return err })
		switch {
		case errors.Is(err, io.EOF) && n > 0:
			return k, nil
		case err != nil:
			return Keyring{}, fmt.Errorf("not an OpenPGP public key: %w", err)
		case e.PrivateKey != nil || slices.ContainsFunc(e.Subkeys, func(s openpgp.Subkey) bool { return s.PrivateKey != nil }):
			return Keyring{}, fmt.Errorf("a private key stands where public keys are wanted: %s", fingerprint(e.PrimaryKey))
		}
		if e.PrimaryKey.Version != 4 {
			return Keyring{}, fmt.Errorf("not an OpenPGP public key that apt and rpm read: version %d", e.PrimaryKey.Version)
		}
		k = k.with(certificateOf(e))
	}
}

func (k Keyring) with(c certificate) Keyring {
	all := slices.Clone(k.certificates)
	if i := k.index(c.fingerprint()); i >= 0 {
		all[i] = c
	} else {
		all = append(all, c)
	}
	return Keyring{all}
}

func (k Keyring) index(fingerprint string) int {
	return slices.IndexFunc(k.certificates, func(c certificate) bool { return strings.EqualFold(c.fingerprint(), fingerprint) })
}

// With is k and the public keys of certificate, armored or not. One that k has
// already is replaced in its place; others come last.
func (k Keyring) With(certificate []byte) (Keyring, error) {
	more, err := ParseKeyring(certificate)
	if err != nil {
		return Keyring{}, err
	}
	for _, c := range more.certificates {
		k = k.with(c)
	}
	return k, nil
}

// Without is k without the key of that fingerprint.
func (k Keyring) Without(fingerprint string) Keyring {
	i := k.index(fingerprint)
	if i < 0 {
		return k
	}
	return Keyring{slices.Delete(slices.Clone(k.certificates), i, i+1)}
}

// Has reports whether the key of that fingerprint is trusted.
func (k Keyring) Has(fingerprint string) bool { return k.index(fingerprint) >= 0 }

// Fingerprints are those of the primary keys, in order.
func (k Keyring) Fingerprints() []string {
	var all []string
	for _, c := range k.certificates {
		all = append(all, c.fingerprint())
	}
	return all
}

// String lists the fingerprints for a message.
func (k Keyring) String() string {
	if len(k.certificates) == 0 {
		return "no key"
	}
	return strings.Join(k.Fingerprints(), " or ")
}

// Armored is the file of public keys that hosts are given, one armored block a
// key: gpg, apt and every rpm import all of them. Of a block with two keys
// newer rpm libraries (rpm-sequoia) and dnf take one or none.
func (k Keyring) Armored() []byte {
	var out []byte
	for _, c := range k.certificates {
		out = append(out, armorOf(openpgp.PublicKeyType, c.packets)...)
	}
	return out
}

func (k Keyring) entities() openpgp.EntityList {
	var all openpgp.EntityList
	for _, c := range k.certificates {
		all = append(all, c.entity)
	}
	return all
}
