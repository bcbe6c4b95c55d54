package signing

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha512"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// oidEd25519 is the curve's identifier with its length, RFC 9580 9.2.
var oidEd25519 = []byte{9, 0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01}

// Certify makes the OpenPGP public key of a private key that only command can
// use (see exec: in [Source]) for the repository of that name, and has the
// command sign it. Public is what such services give: a SubjectPublicKeyInfo of
// RSA or Ed25519, PEM or DER. The same public key and time give the same
// fingerprint, so keep the result.
func Certify(ctx context.Context, name string, public []byte, command string, now time.Time) (Signer, error) {
	s, err := certifyCommand(ctx, name, public, command, now)
	if err != nil {
		return nil, fmt.Errorf("certify the public key: %w", err)
	}
	return s, nil
}

func certifyCommand(ctx context.Context, name string, public []byte, command string, now time.Time) (Signer, error) {
	if block, _ := pem.Decode(public); block != nil {
		public = block.Bytes
	}
	parsed, err := x509.ParsePKIXPublicKey(public)
	if err != nil {
		return nil, fmt.Errorf("not a public key in PEM or DER: %w", err)
	}
	var body []byte
	switch key := parsed.(type) {
	case *rsa.PublicKey:
		body = rsaBody(key, now)
	case ed25519.PublicKey:
		body = ed25519Body(key, now)
	default:
		return nil, fmt.Errorf("%w: %T; use RSA or Ed25519", ErrKeyType, key)
	}
	key, err := readPublic(body)
	if err != nil {
		return nil, err
	}
	c, err := certify(ctx, name, body, now, commandDigest(key, command, Environ()))
	if err != nil {
		return nil, err
	}
	return newCommand(c, c.fingerprint(), command, Environ())
}

// certify binds a name to the public key with this body by a certification of
// its own, RFC 9580 5.2.4. Such a key certifies and signs.
func certify(ctx context.Context, name string, body []byte, now time.Time, sign signDigest) (certificate, error) {
	key, err := readPublic(body)
	if err != nil {
		return certificate{}, err
	}
	id := []byte(userID(name))
	h := sha512.New()
	h.Write(binary.BigEndian.AppendUint16([]byte{0x99}, uint16(len(body))))
	h.Write(body)
	h.Write(binary.BigEndian.AppendUint32([]byte{0xb4}, uint32(len(id))))
	h.Write(id)
	flags := subpacket(subKeyFlags, []byte{packet.KeyFlagCertify | packet.KeyFlagSign})
	sig, err := finishPacket(ctx, key, h, byte(packet.SigTypePositiveCert), now, flags, sign)
	if err != nil {
		return certificate{}, err
	}
	ring, err := ParseKeyring(slices.Concat(wholePacket(tagPublicKey, body), wholePacket(tagUserID, id), sig))
	if err != nil {
		return certificate{}, err
	}
	return ring.certificates[0], nil
}

// readPublic checks the body of a public key packet.
func readPublic(body []byte) (*packet.PublicKey, error) {
	parsed, err := packet.Read(bytes.NewReader(wholePacket(tagPublicKey, body)))
	if err != nil {
		return nil, err
	}
	key := parsed.(*packet.PublicKey)
	return key, checkAlgorithm(key)
}

// rsaBody is the body of a version 4 public key packet, RFC 9580 5.5.2.2.
func rsaBody(key *rsa.PublicKey, now time.Time) []byte {
	body := append(bodyStart(now), byte(packet.PubKeyAlgoRSA))
	body = append(body, integer(key.N.Bytes())...)
	return append(body, integer(big.NewInt(int64(key.E)).Bytes())...)
}

// ed25519Body is that of an Ed25519 key, in the older of the two encodings:
// gpgv 2.2, which apt runs, and rpm have no other.
func ed25519Body(key ed25519.PublicKey, now time.Time) []byte {
	body := append(bodyStart(now), byte(packet.PubKeyAlgoEdDSA))
	body = append(body, oidEd25519...)
	return append(body, integer(append([]byte{0x40}, key...))...)
}

func bodyStart(now time.Time) []byte {
	return binary.BigEndian.AppendUint32([]byte{4}, uint32(now.Unix()))
}
