package signing

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/eddsa"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// commandSigner asks a command of the user's, such as that of a key management
// service, for raw signatures. The command is run by sh. It reads the digest,
// 64 bytes, from its standard input, finds KINECTL_HASH=sha512 and
// KINECTL_FINGERPRINT in its environment, and prints the raw signature: PKCS #1
// v1.5 of an RSA key; of an Ed25519 key, the signature of the digest as the
// message.
type commandSigner struct {
	certificate
	chosen  *packet.PublicKey // primary or subkey
	command string
	environ []string
}

func newCommand(c certificate, chosen, command string, environ []string) (*commandSigner, error) {
	key := c.key(chosen)
	if err := checkAlgorithm(key); err != nil {
		return nil, fmt.Errorf("exec: for key %s: %w", chosen, err)
	}
	return &commandSigner{c, key, command, environ}, nil
}

func (s *commandSigner) String() string      { return s.fingerprint() }
func (s *commandSigner) Fingerprint() string { return s.fingerprint() }
func (s *commandSigner) Certificate() []byte { return bytes.Clone(s.packets) }

// Sign implements [Signer].
func (s *commandSigner) Sign(ctx context.Context, message io.Reader, kind Kind, now time.Time) ([]byte, error) {
	if _, ok := s.entity.SigningKey(now); !ok {
		return nil, fmt.Errorf("key %s cannot sign at %s: expired or revoked", s, now.UTC().Format(time.RFC3339))
	}
	return signPacket(ctx, s.chosen, message, kind, now, commandDigest(s.chosen, s.command, s.environ))
}

// commandDigest runs the command, and lets no wrong signature out.
func commandDigest(key *packet.PublicKey, command string, environ []string) signDigest {
	environ = slices.Concat(environ, []string{"KINECTL_HASH=sha512", "KINECTL_FINGERPRINT=" + fingerprint(key)})
	return func(ctx context.Context, digest []byte) ([]byte, error) {
		raw, said, err := run(ctx, environ, bytes.NewReader(digest), "sh", "-c", command)
		if err != nil {
			return nil, fmt.Errorf("the signing command: %w", err)
		}
		if err := verifyRaw(key, digest, raw); err != nil {
			// Of a pipe, sh gives the last program's exit code only.
			return nil, fmt.Errorf("the signing command: %w; it said: %q", err, said)
		}
		return raw, nil
	}
}

func verifyRaw(key *packet.PublicKey, digest, raw []byte) error {
	size, holds := 0, false
	switch public := key.PublicKey.(type) {
	case *rsa.PublicKey:
		size, holds = public.Size(), rsa.VerifyPKCS1v15(public, crypto.SHA512, digest, raw) == nil
	case *eddsa.PublicKey:
		size = ed25519.SignatureSize
		holds = len(raw) == size && ed25519.Verify(public.X, digest, raw)
	default:
		return ErrKeyType
	}
	switch {
	case holds:
		return nil
	case len(raw) != size:
		return fmt.Errorf("it printed %d bytes where a raw signature has %d (not base64, no newline)", len(raw), size)
	}
	return errors.New("what it printed is not a signature of the digest by this key: is it the same key, PKCS #1 v1.5 and SHA-512?")
}
