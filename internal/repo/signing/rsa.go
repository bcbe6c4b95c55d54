package signing

import (
	"bytes"
	"crypto/rsa"
	"encoding/binary"
	"errors"
	"io"
	"math/big"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// Tags of RFC 9580 5.
const (
	tagSignature    = 2
	tagSecretKey    = 5
	tagPublicKey    = 6
	tagSecretSubkey = 7
	tagUserID       = 13
	tagPublicSubkey = 14
)

// readPrivate reads private keys as openpgp.ReadKeyRing does, but RSA keys in
// a tenth of the time. The library derives the values for the Chinese
// remainder theorem twice, which takes longer than a signature; the packet
// holds the one that is dear.
func readPrivate(r io.Reader) (openpgp.EntityList, error) {
	var rest bytes.Buffer // what the library reads: RSA keys are public there
	found := map[string]*rsa.PrivateKey{}
	for packets := packet.NewOpaqueReader(r); ; {
		p, err := packets.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if publicTag, ok := map[uint8]uint8{tagSecretKey: tagPublicKey, tagSecretSubkey: tagPublicSubkey}[p.Tag]; ok {
			if private, public := splitRSA(p.Contents); private != nil {
				p = &packet.OpaquePacket{Tag: publicTag, Contents: public}
				found[private.N.String()] = private
			}
		}
		if err := p.Serialize(&rest); err != nil {
			return nil, err
		}
	}
	var list openpgp.EntityList
	if err := noPanic(func() (err error) { list, err = openpgp.ReadKeyRing(&rest); return err }); err != nil {
		return nil, err
	}
	join := func(public *packet.PublicKey, private **packet.PrivateKey) {
		if key, ok := public.PublicKey.(*rsa.PublicKey); ok && *private == nil && found[key.N.String()] != nil {
			*private = &packet.PrivateKey{PublicKey: *public, PrivateKey: found[key.N.String()]}
		}
	}
	for _, e := range list {
		join(e.PrimaryKey, &e.PrivateKey)
		for i := range e.Subkeys {
			join(e.Subkeys[i].PublicKey, &e.Subkeys[i].PrivateKey)
		}
	}
	return list, nil
}

// splitRSA takes the body of an unlocked version 4 secret key packet, RFC 9580
// 5.5.3, apart. Of anything else, and of a key that is not sound, it gives
// nil: the library then says what is wrong.
func splitRSA(body []byte) (private *rsa.PrivateKey, public []byte) {
	if len(body) < 6 || body[0] != 4 || body[5] != byte(packet.PubKeyAlgoRSA) {
		return nil, nil
	}
	var n, e, d, p, q, u big.Int
	rest, ok := cutIntegers(body[6:], &n, &e)
	if !ok || len(rest) == 0 || rest[0] != 0 { // locked, or on a card
		return nil, nil
	}
	public, secret := body[:len(body)-len(rest)], rest[1:]
	sum, ok := cutIntegers(secret, &d, &p, &q, &u)
	if !ok || len(sum) != 2 || checksum(secret[:len(secret)-2]) != binary.BigEndian.Uint16(sum) || !e.IsInt64() {
		return nil, nil
	}
	// OpenPGP keeps p^-1 mod q, the standard library that of the second prime
	// modulo the first.
	private = &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: &n, E: int(e.Int64())}, D: &d, Primes: []*big.Int{&q, &p}}
	private.Precomputed.Dp = remainder(&d, &q)
	private.Precomputed.Dq = remainder(&d, &p)
	private.Precomputed.Qinv = &u
	private.Precompute()
	if private.Validate() != nil {
		return nil, nil
	}
	return private, public
}

// remainder is d mod (prime - 1).
func remainder(d, prime *big.Int) *big.Int {
	less := new(big.Int).Sub(prime, big.NewInt(1))
	if less.Sign() <= 0 {
		return new(big.Int)
	}
	return less.Mod(d, less)
}

// cutIntegers reads multiprecision integers, RFC 9580 3.2.
func cutIntegers(body []byte, values ...*big.Int) (rest []byte, ok bool) {
	for _, v := range values {
		if len(body) < 2 {
			return nil, false
		}
		size := (int(binary.BigEndian.Uint16(body)) + 7) / 8
		if len(body) < 2+size {
			return nil, false
		}
		v.SetBytes(body[2 : 2+size])
		body = body[2+size:]
	}
	return body, true
}

func checksum(body []byte) (sum uint16) {
	for _, b := range body {
		sum += uint16(b)
	}
	return sum
}
