package signing

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/eddsa"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// KeyType is the algorithm of a signing key.
type KeyType string

// RSA4096 is what every OpenPGP reader on a server takes, the rpm of old
// enterprise releases included, and so the default: one key signs for apt and
// for yum. Ed25519 is smaller and faster, and enough where every host has apt
// 1.4 (Debian 9, Ubuntu 18.04) or newer, or a recent rpm (tried with 4.18).
const (
	RSA4096 KeyType = "rsa4096"
	Ed25519 KeyType = "ed25519"
)

// Key is a [Signer] whose private part is in memory.
type Key struct {
	entity      *openpgp.Entity
	certificate []byte // made once: the library writes into the entity while it serializes it
}

func keyOf(e *openpgp.Entity) *Key { return &Key{e, certificateOf(e).packets} }

// NewKey makes a key of the given type that can only sign, for the repository
// of that name. It has no passphrase and no end: the rights of its file guard
// it, and a forgotten date would stop every host's updates at once.
func NewKey(name string, kind KeyType, now time.Time) (*Key, error) {
	switch kind {
	case RSA4096:
		private, err := rsa.GenerateKey(rand.Reader, 4096)
		if err != nil {
			return nil, fmt.Errorf("make a key: %w", err)
		}
		return newKey(name, rsaBody(&private.PublicKey, now), now, func(*packet.PublicKey) (any, error) { return private, nil })
	case Ed25519:
		public, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return nil, fmt.Errorf("make a key: %w", err)
		}
		return newKey(name, ed25519Body(public, now), now, func(key *packet.PublicKey) (any, error) {
			secret := eddsa.NewPrivateKey(*key.PublicKey.(*eddsa.PublicKey))
			return secret, secret.UnmarshalByteSecret(private.Seed())
		})
	}
	return nil, fmt.Errorf("%w: %q; use %s or %s", ErrKeyType, kind, RSA4096, Ed25519)
}

// newKey joins the public key packet with this body and its private part.
func newKey(name string, body []byte, now time.Time, private func(*packet.PublicKey) (any, error)) (*Key, error) {
	key, err := readPublic(body)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	secret, err := private(key)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	// The certification takes no time: there is nothing that could be cancelled.
	c, err := certify(context.Background(), name, body, now, signWith(secret))
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	c.entity.PrivateKey = &packet.PrivateKey{PublicKey: *c.entity.PrimaryKey, PrivateKey: secret}
	return keyOf(c.entity), nil
}

func userID(name string) string { return name + " package repository" }

// ParseKey reads an armored private key, as [Key.Private] or
// `gpg --armor --export-secret-keys` write it. A key with a passphrase, and
// text with no private key or more than one, are errors, which never hold any
// of the text.
func ParseKey(armored []byte) (*Key, error) {
	keys, err := parseKeys(armored)
	if err != nil {
		return nil, err
	}
	if len(keys) != 1 {
		return nil, fmt.Errorf("not one OpenPGP private key, but %d", len(keys))
	}
	return keys[0], nil
}

// parseKeys reads one private key or more, in one armored block or several.
func parseKeys(armored []byte) ([]*Key, error) {
	var keys []*Key
	for block, rest := nextBlock(armored); block != nil; block, rest = nextBlock(rest) {
		body, err := decodeArmor(block, openpgp.PrivateKeyType, openpgp.PublicKeyType)
		if err != nil {
			return nil, errors.New("not an armored OpenPGP key")
		}
		list, err := readPrivate(body)
		if err != nil {
			return nil, errors.New("not an OpenPGP key, or a damaged one") // never more of the text
		}
		for _, e := range list {
			k := keyOf(e)
			if err := k.check(); err != nil {
				return nil, err
			}
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("not an armored OpenPGP key")
	}
	return keys, nil
}

// check refuses keys that could not sign, or whose signatures a host would refuse.
func (k *Key) check() error {
	if k.entity.PrivateKey == nil {
		return fmt.Errorf("not one OpenPGP private key, but the public key %s", k)
	}
	usable := 0
	for _, p := range k.privates() {
		switch {
		case p.Dummy():
			continue // gpg's mark for a part that is kept elsewhere
		case p.Encrypted:
			return fmt.Errorf("the private key %s is locked by a passphrase: let gpg keep it (gpg --import, then gpg:%s), or export one without", k, k)
		}
		usable++
	}
	if usable == 0 {
		return fmt.Errorf("the private part of key %s is not here but on a card or on another machine: use gpg:%s", k, k)
	}
	return checkAlgorithm(k.entity.PrimaryKey)
}

func (k *Key) privates() []*packet.PrivateKey {
	all := []*packet.PrivateKey{k.entity.PrivateKey}
	for _, s := range k.entity.Subkeys {
		if s.PrivateKey != nil {
			all = append(all, s.PrivateKey)
		}
	}
	return all
}

// checkAlgorithm lets through what apt and rpm both read: rpm's own OpenPGP
// reader knows no elliptic curve but Ed25519, apt since 2.7 no small RSA key.
func checkAlgorithm(key *packet.PublicKey) error {
	length, _ := key.BitLength()
	curve, _ := key.Curve()
	switch {
	case key.Version != 4:
		return fmt.Errorf("%w that apt and rpm read: version %d of OpenPGP keys; use version 4", ErrKeyType, key.Version)
	case key.PubKeyAlgo == packet.PubKeyAlgoRSA && length >= 2048:
	case key.PubKeyAlgo == packet.PubKeyAlgoEdDSA && curve == packet.Curve25519:
	default:
		return fmt.Errorf("%w that apt and rpm read: use RSA of 2048 bits or more, or Ed25519", ErrKeyType)
	}
	return nil
}

// String is the fingerprint, so that a key in a log gives nothing away.
func (k *Key) String() string { return k.Fingerprint() }

// Fingerprint implements [Signer].
func (k *Key) Fingerprint() string { return fingerprint(k.entity.PrimaryKey) }

// Certificate implements [Signer].
func (k *Key) Certificate() []byte { return k.certificate }

// Private is the armored private key. Keep it in a file of mode 0600.
func (k *Key) Private() ([]byte, error) {
	var packets bytes.Buffer
	if err := k.entity.SerializePrivateWithoutSigning(&packets, nil); err != nil {
		return nil, err
	}
	return armorOf(openpgp.PrivateKeyType, packets.Bytes()), nil
}

// Sign implements [Signer].
func (k *Key) Sign(ctx context.Context, message io.Reader, kind Kind, now time.Time) ([]byte, error) {
	key, ok := k.entity.SigningKey(now)
	if !ok || key.PrivateKey == nil {
		return nil, fmt.Errorf("key %s cannot sign at %s: expired, revoked or without its private part", k, now.UTC().Format(time.RFC3339))
	}
	return signPacket(ctx, key.PublicKey, message, kind, now, signWith(key.PrivateKey.PrivateKey))
}

// signWith signs with a private key in memory.
func signWith(private any) signDigest {
	return func(_ context.Context, digest []byte) ([]byte, error) {
		switch private := private.(type) {
		case *rsa.PrivateKey:
			return rsa.SignPKCS1v15(nil, private, crypto.SHA512, digest)
		case *eddsa.PrivateKey:
			r, s, err := eddsa.Sign(private, digest)
			return append(r, s...), err
		}
		return nil, fmt.Errorf("%w: neither RSA nor Ed25519", ErrKeyType)
	}
}

func fingerprint(key *packet.PublicKey) string {
	return strings.ToUpper(hex.EncodeToString(key.Fingerprint))
}
