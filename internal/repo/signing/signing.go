// Package signing makes and checks the OpenPGP signatures of a package
// repository (RFC 9580, in the version 4 packets that gpg, apt and rpm read).
//
// Start at [Find], which turns what the user named into [Signers], and at
// [ParseKeyring] for the public side.
package signing

import (
	"context"
	"errors"
	"io"
	"time"
)

// Signer makes signatures with one private key, wherever that lives. It may be
// used by many at the same time, and prints as its fingerprint only.
type Signer interface {
	// Sign returns one binary signature packet over the SHA-512 of message. The
	// signature says that it was made at now; with RSA and Ed25519 the same
	// message at the same time gives the same bytes.
	Sign(ctx context.Context, message io.Reader, kind Kind, now time.Time) ([]byte, error)
	// Fingerprint is the primary key's, in upper-case hexadecimal.
	Fingerprint() string
	// Certificate is the public key in binary packets: what hosts trust.
	Certificate() []byte
}

// Kind is the signature type, RFC 9580 5.2.1.
type Kind byte

const (
	Binary Kind = 0x00 // over the bytes as they are: repomd.xml, Release.gpg, rpm headers
	Text   Kind = 0x01 // over lines that end in CR LF: InRelease
)

var (
	// ErrSignature: what was read is not signed by a trusted key.
	ErrSignature = errors.New("the signature does not hold")
	// ErrNoKey: the private key is not where it was looked for.
	ErrNoKey = errors.New("the private key is missing")
	// ErrKeyType: a type of key that cannot be made or used.
	ErrKeyType = errors.New("not a type of key")
)
