package signing

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha512"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// gpgSigner asks gpg, and so its agent, a smartcard, a passphrase.
type gpgSigner struct {
	certificate
	chosen  string // the key that the user named: primary or subkey
	environ []string
}

// newGPG checks that gpg knows of the private part, which may be on a card.
func newGPG(ctx context.Context, c certificate, chosen string, environ []string) (*gpgSigner, error) {
	if err := checkAlgorithm(c.key(chosen)); err != nil {
		return nil, fmt.Errorf("gpg:%s: %w", chosen, err)
	}
	if _, _, err := run(ctx, environ, nil, "gpg", "--batch", "--with-colons", "--list-secret-keys", chosen); err != nil {
		return nil, fmt.Errorf("%w: gpg has no private key %s: %w", ErrNoKey, chosen, err)
	}
	return &gpgSigner{c, chosen, environ}, nil
}

// exportGPG is the public key as gpg has it.
func exportGPG(ctx context.Context, chosen string, environ []string) (certificate, error) {
	out, _, err := run(ctx, environ, nil, "gpg", "--batch", "--export", "--export-options", "export-minimal", chosen)
	if err != nil {
		return certificate{}, fmt.Errorf("gpg:%s: %w", chosen, err)
	}
	if len(out) == 0 {
		return certificate{}, fmt.Errorf("%w: gpg does not know key %s", ErrNoKey, chosen)
	}
	ring, err := ParseKeyring(out)
	if err != nil {
		return certificate{}, fmt.Errorf("gpg:%s: %w", chosen, err)
	}
	return ring.certificates[0], nil
}

func (s *gpgSigner) String() string      { return s.fingerprint() }
func (s *gpgSigner) Fingerprint() string { return s.fingerprint() }
func (s *gpgSigner) Certificate() []byte { return bytes.Clone(s.packets) }

// Sign implements [Signer]. What gpg makes is checked before it is used.
func (s *gpgSigner) Sign(ctx context.Context, message io.Reader, kind Kind, now time.Time) ([]byte, error) {
	name := s.chosen
	if key, ok := s.entity.SigningKey(now); ok && name == s.fingerprint() {
		name = fingerprint(key.PublicKey) // a subkey, where the primary only certifies
	}
	args := []string{
		"--batch", "--no-tty", "--quiet", "--no-armor", "--digest-algo", "SHA512",
		"--faked-system-time", strconv.FormatInt(now.Unix(), 10) + "!",
		"--local-user", name + "!", "--output", "-",
	}
	if kind == Text {
		args = append(args, "--textmode")
	}
	h := sha512.New()
	out, _, err := run(ctx, s.environ, io.TeeReader(message, canonical(h, kind)), "gpg", append(args, "--detach-sign")...)
	if err != nil {
		return nil, fmt.Errorf("gpg: %w", err)
	}
	p, err := packet.Read(bytes.NewReader(out))
	sig, ok := p.(*packet.Signature)
	switch {
	case err != nil || !ok:
		return nil, errors.New("gpg did not print a signature")
	case sig.Hash != crypto.SHA512 || Kind(sig.SigType) != kind || sig.CreationTime.Unix() != now.Unix():
		return nil, errors.New("gpg printed another kind of signature than it was asked for")
	}
	if err := s.key(name).VerifySignature(h, sig); err != nil {
		return nil, fmt.Errorf("gpg printed a signature that the public key in key.asc does not confirm: %w", err)
	}
	return out, nil
}
