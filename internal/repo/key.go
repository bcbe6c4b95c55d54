package repo

import (
	"bytes"
	"crypto"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// KeyType is the algorithm of a signing key.
type KeyType string

// RSA4096 is what every OpenPGP reader on a server takes, the rpm of old
// enterprise releases included, and so the default: one key signs for apt and,
// later, for yum. Ed25519 is smaller and faster, and enough where every host
// has apt 1.4 or newer (Debian 9, Ubuntu 18.04).
const (
	RSA4096 KeyType = "rsa4096"
	Ed25519 KeyType = "ed25519"
)

// Key is a private OpenPGP key that signs a repository. It never prints as
// anything but its fingerprint.
type Key struct {
	entity *openpgp.Entity
}

// NewKey makes a key of the given type that can only sign. It has no
// passphrase and no end: the rights of its file guard it, and a forgotten date
// would stop every host's updates at once.
func NewKey(origin string, kind KeyType, now time.Time) (*Key, error) {
	config := signConfig(now)
	switch kind {
	case RSA4096:
		config.Algorithm, config.RSABits = packet.PubKeyAlgoRSA, 4096
	case Ed25519:
		// The older of the two encodings: gpgv 2.2, which apt runs, has no other.
		config.Algorithm = packet.PubKeyAlgoEdDSA
	default:
		return nil, &tagged{ErrUsage, fmt.Errorf("key type %q: use %s or %s", kind, RSA4096, Ed25519)}
	}
	entity, err := openpgp.NewEntity(origin+" package repository", "", "", config)
	if err != nil {
		return nil, err
	}
	entity.Subkeys = nil // the library adds one for encryption
	return &Key{entity}, nil
}

// ParseKey reads an armored private key, as NewKey or
// `gpg --armor --export-secret-keys` write it. A key with a passphrase, and
// text with no private key or more than one, are errors.
func ParseKey(armored []byte) (*Key, error) {
	list, err := openpgp.ReadArmoredKeyRing(bytes.NewReader(armored))
	if err != nil {
		return nil, errors.New("not an armored OpenPGP key") // never the text itself
	}
	if len(list) != 1 || list[0].PrivateKey == nil {
		return nil, errors.New("not one OpenPGP private key")
	}
	k := &Key{list[0]}
	if s, err := k.signer(time.Now()); err != nil {
		return nil, err
	} else if s.Encrypted {
		return nil, errors.New("the private key is locked by a passphrase: export one without")
	}
	return k, nil
}

// String is the fingerprint, so that a key in a log gives nothing away.
func (k *Key) String() string { return k.Fingerprint() }

// Fingerprint is the primary key's, in upper-case hexadecimal.
func (k *Key) Fingerprint() string { return fingerprint(k.entity) }

// Private is the armored private key. Keep it in a file of mode 0600.
func (k *Key) Private() ([]byte, error) {
	return armored(openpgp.PrivateKeyType, func(w io.Writer) error { return k.entity.SerializePrivateWithoutSigning(w, nil) })
}

// Public is the armored public key: what a host trusts.
func (k *Key) Public() ([]byte, error) {
	return armored(openpgp.PublicKeyType, k.entity.Serialize)
}

// sign returns text cleartext-signed (InRelease) and its detached signature
// (Release.gpg).
func (k *Key) sign(text []byte, now time.Time) (inRelease, detached []byte, err error) {
	private, err := k.signer(now)
	if err != nil {
		return nil, nil, err
	}
	var clear, apart bytes.Buffer
	w, err := clearsign.Encode(&clear, private, signConfig(now))
	if err != nil {
		return nil, nil, err
	}
	// The newline before the signature belongs to the format, RFC 9580 7.2.
	if _, err := w.Write(bytes.TrimSuffix(text, []byte("\n"))); err != nil {
		return nil, nil, err
	}
	if err := w.Close(); err != nil {
		return nil, nil, err
	}
	clear.WriteByte('\n')
	if err := openpgp.ArmoredDetachSign(&apart, k.entity, bytes.NewReader(text), signConfig(now)); err != nil {
		return nil, nil, err
	}
	apart.WriteByte('\n')
	return clear.Bytes(), apart.Bytes(), nil
}

func (k *Key) signer(now time.Time) (*packet.PrivateKey, error) {
	key, ok := k.entity.SigningKey(now)
	if !ok || key.PrivateKey == nil {
		return nil, fmt.Errorf("key %s cannot sign: expired, revoked or without its private part", k)
	}
	return key.PrivateKey, nil
}

// signConfig leaves out the library's random notation: the same text signed at
// the same second is the same bytes.
func signConfig(now time.Time) *packet.Config {
	random := false
	return &packet.Config{
		Time:                                  func() time.Time { return now },
		DefaultHash:                           crypto.SHA512,
		NonDeterministicSignaturesViaNotation: &random,
	}
}

// keyring is a set of public keys that a reader trusts.
type keyring openpgp.EntityList

// parseKeyring reads public keys, armored or not.
func parseKeyring(body []byte) (keyring, error) {
	list, err := openpgp.ReadArmoredKeyRing(bytes.NewReader(body))
	if err != nil {
		list, err = openpgp.ReadKeyRing(bytes.NewReader(body))
	}
	if err != nil || len(list) == 0 {
		return nil, errors.New("not an OpenPGP public key")
	}
	return keyring(list), nil
}

// String lists the fingerprints.
func (k keyring) String() string {
	var names []string
	for _, e := range k {
		names = append(names, fingerprint(e))
	}
	return strings.Join(names, " or ")
}

func (k keyring) has(key *Key) bool {
	for _, e := range k {
		if fingerprint(e) == key.Fingerprint() {
			return true
		}
	}
	return false
}

const clearsignStart = "-----BEGIN PGP SIGNED MESSAGE-----\n"

// open checks a cleartext-signed document and returns the text that was
// signed, and nothing of what may stand around it.
func (k keyring) open(signed []byte, now time.Time) (string, error) {
	block, rest := clearsign.Decode(signed)
	if block == nil || !bytes.HasPrefix(signed, []byte(clearsignStart)) || len(bytes.TrimSpace(rest)) > 0 {
		return "", fmt.Errorf("%w: not a signed document", ErrSignature)
	}
	if _, err := block.VerifySignature(openpgp.EntityList(k), verifyConfig(now)); err != nil {
		return "", fmt.Errorf("%w for key %s: %w", ErrSignature, k, err)
	}
	return string(bytes.TrimSuffix(block.Plaintext, []byte("\n"))) + "\n", nil
}

// holds reports whether a detached signature is one of text.
func (k keyring) holds(text, detached []byte, now time.Time) bool {
	_, err := openpgp.CheckArmoredDetachedSignature(openpgp.EntityList(k), bytes.NewReader(text), bytes.NewReader(detached), verifyConfig(now))
	return err == nil
}

// verifyConfig takes signatures of up to an hour from now, for the clocks of
// two machines are never the same.
func verifyConfig(now time.Time) *packet.Config {
	return &packet.Config{Time: func() time.Time { return now.Add(time.Hour) }}
}

func fingerprint(e *openpgp.Entity) string {
	return strings.ToUpper(hex.EncodeToString(e.PrimaryKey.Fingerprint))
}

func armored(kind string, fill func(io.Writer) error) ([]byte, error) {
	var b bytes.Buffer
	w, err := armor.Encode(&b, kind, nil)
	if err != nil {
		return nil, err
	}
	if err := fill(w); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}
