package signing

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

const (
	maxSignatures = 16        // in one block; checking each costs time
	clockSkew     = time.Hour // two machines' clocks are never the same
)

// Open checks a cleartext-signed document (InRelease) and returns the text
// that was signed, which ends in a newline, and nothing of what may stand
// around it. One good signature of a trusted key is enough, and those of
// unknown keys are passed over; one of a trusted key over other text is an
// error even beside a good one, as it is to apt. Signatures from up to an hour
// ahead of now are taken. What does not hold is [ErrSignature].
func (k Keyring) Open(signed []byte, now time.Time) (string, error) {
	text, signature, ok := splitClear(string(signed))
	if !ok {
		return "", fmt.Errorf("%w: not a signed document, or text stands around it", ErrSignature)
	}
	if err := k.verify([]byte(text), signature, Text, now); err != nil {
		return "", err
	}
	return text + "\n", nil
}

// Verify checks a detached armored signature of message (Release.gpg,
// repomd.xml.asc) by the rules of [Keyring.Open].
func (k Keyring) Verify(message, detached []byte, now time.Time) error {
	return k.verify(message, detached, Binary, now)
}

func (k Keyring) verify(message, armored []byte, kind Kind, now time.Time) error {
	block, rest := nextBlock(armored)
	body, err := decodeArmor(block, openpgp.SignatureType)
	if err != nil || len(bytes.TrimSpace(rest)) > 0 || !bytes.HasPrefix(armored, block) {
		return fmt.Errorf("%w: not one armored signature, or text stands around it", ErrSignature)
	}
	return k.check(message, body, kind, now)
}

// check reads signature packets until their end.
func (k Keyring) check(message []byte, packets io.Reader, kind Kind, now time.Time) error {
	reader := packet.NewOpaqueReader(packets)
	good := false
	var faults []string // of signatures that count for nothing
	for n := 0; ; n++ {
		p, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || p.Tag != tagSignature {
			return fmt.Errorf("%w: it is damaged", ErrSignature)
		}
		if n == maxSignatures {
			return fmt.Errorf("%w: more than %d signatures", ErrSignature, maxSignatures)
		}
		fault, err := k.checkOne(message, p, kind, now)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrSignature, err)
		}
		if fault == "" {
			good = true
		} else {
			faults = append(faults, fault)
		}
	}
	switch {
	case good:
		return nil
	case len(faults) == 0:
		return fmt.Errorf("%w: there is none", ErrSignature)
	}
	return fmt.Errorf("%w: %s; trusted: %s", ErrSignature, strings.Join(faults, "; "), k)
}

// checkOne checks one signature. Fault says why it counts for nothing; err
// says that a trusted key signed something else.
func (k Keyring) checkOne(message []byte, p *packet.OpaquePacket, kind Kind, now time.Time) (fault string, err error) {
	var sig *packet.Signature
	err = noPanic(func() error {
		parsed, err := p.Parse()
		sig, _ = parsed.(*packet.Signature)
		return err
	})
	if err != nil || sig == nil || sig.IssuerKeyId == nil {
		return "a signature of a form that is not known here", nil
	}
	signer := fmt.Sprintf("key %016X", *sig.IssuerKeyId)
	if len(sig.IssuerFingerprint) > 0 {
		signer = fmt.Sprintf("key %X", sig.IssuerFingerprint)
	}
	switch {
	case Kind(sig.SigType) != kind:
		return signer + " made another kind of signature", nil
	case sig.Hash != crypto.SHA256 && sig.Hash != crypto.SHA384 && sig.Hash != crypto.SHA512:
		return fmt.Sprintf("%s signed with the weak hash %v", signer, sig.Hash), nil
	case sig.CreationTime.After(now.Add(clockSkew)):
		return fmt.Sprintf("%s signed at %s, which is in the future: compare the clocks", signer, sig.CreationTime.UTC().Format(time.RFC3339)), nil
	}
	var one bytes.Buffer
	if err := p.Serialize(&one); err != nil {
		return "", err
	}
	config := &packet.Config{Time: func() time.Time { return now.Add(clockSkew) }}
	_, _, err = openpgp.VerifyDetachedSignature(k.entities(), bytes.NewReader(message), &one, config)
	switch {
	case err == nil:
		return "", nil
	case errors.Is(err, pgperrors.ErrUnknownIssuer):
		return "signed by " + signer, nil
	case errors.Is(err, pgperrors.ErrKeyExpired), errors.Is(err, pgperrors.ErrSignatureExpired):
		return signer + " or its signature is expired, or the key is from the future", nil
	case errors.Is(err, pgperrors.ErrKeyRevoked):
		return signer + " is revoked", nil
	}
	return "", fmt.Errorf("%s signed something else: %w", signer, err)
}
