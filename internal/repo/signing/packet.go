package signing

import (
	"context"
	"crypto/sha512"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"math/bits"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// Numbers of RFC 9580: 5.2.3.7 for the subpackets, 9.5 for the hash.
const (
	subCreated     = 2
	subIssuer      = 16
	subKeyFlags    = 27
	subFingerprint = 33
	hashSHA512     = 10
)

// signDigest gives the raw signature of a SHA-512 digest: PKCS #1 v1.5 of an
// RSA key, or the 64 bytes of R and S of an Ed25519 key over the digest as its
// message, as RFC 9580 5.2.3.3 wants it.
type signDigest func(ctx context.Context, digest []byte) ([]byte, error)

// signPacket hashes message and writes a version 4 signature packet of key
// over it, RFC 9580 5.2.3. All that it writes follows from what it is given.
// The library's own writer takes no signature from elsewhere but for RSA, and
// forgets the error of one that fails.
func signPacket(ctx context.Context, key *packet.PublicKey, message io.Reader, kind Kind, now time.Time, sign signDigest) ([]byte, error) {
	h := sha512.New()
	if _, err := io.Copy(canonical(h, kind), message); err != nil {
		return nil, fmt.Errorf("read what is to be signed: %w", err)
	}
	return finishPacket(ctx, key, h, byte(kind), now, nil, sign)
}

// canonical writes text to h with the line ends that are signed.
func canonical(h hash.Hash, kind Kind) io.Writer {
	if kind == Text {
		return openpgp.NewCanonicalTextHash(h)
	}
	return h
}

// finishPacket writes the packet over what h has seen. More holds further
// hashed subpackets.
func finishPacket(ctx context.Context, key *packet.PublicKey, h hash.Hash, kind byte, now time.Time, more []byte, sign signDigest) ([]byte, error) {
	hashed := subpacket(subFingerprint, append([]byte{4}, key.Fingerprint...))
	hashed = append(hashed, subpacket(subCreated, binary.BigEndian.AppendUint32(nil, uint32(now.Unix())))...)
	hashed = append(hashed, more...)
	body := append([]byte{4, kind, byte(key.PubKeyAlgo), hashSHA512}, binary.BigEndian.AppendUint16(nil, uint16(len(hashed)))...)
	body = append(body, hashed...)
	h.Write(body)
	h.Write(binary.BigEndian.AppendUint32([]byte{4, 0xff}, uint32(len(body))))
	digest := h.Sum(nil)
	raw, err := sign(ctx, digest)
	if err != nil {
		return nil, err
	}
	// The issuer's id stands outside, as gpg puts it: old readers look there.
	issuer := subpacket(subIssuer, binary.BigEndian.AppendUint64(nil, key.KeyId))
	body = binary.BigEndian.AppendUint16(body, uint16(len(issuer)))
	body = append(body, issuer...)
	body = append(body, digest[:2]...)
	if key.PubKeyAlgo == packet.PubKeyAlgoEdDSA {
		body = append(body, integer(raw[:len(raw)/2])...)
		raw = raw[len(raw)/2:]
	}
	return wholePacket(tagSignature, append(body, integer(raw)...)), nil
}

// subpacket is one of less than 192 bytes, RFC 9580 5.2.3.7.
func subpacket(kind byte, body []byte) []byte {
	return append([]byte{byte(len(body) + 1), kind}, body...)
}

// integer is a multiprecision integer, RFC 9580 3.2.
func integer(value []byte) []byte {
	for len(value) > 0 && value[0] == 0 {
		value = value[1:]
	}
	size := 8 * len(value)
	if size > 0 {
		size -= bits.LeadingZeros8(value[0])
	}
	return append(binary.BigEndian.AppendUint16(nil, uint16(size)), value...)
}

// wholePacket puts the header before a packet of less than 8 KiB, RFC 9580 4.2.1.
func wholePacket(tag byte, body []byte) []byte {
	out := []byte{0xc0 | tag}
	if n := len(body); n < 192 {
		out = append(out, byte(n))
	} else {
		out = append(out, byte((n-192)>>8)+192, byte(n-192))
	}
	return append(out, body...)
}
