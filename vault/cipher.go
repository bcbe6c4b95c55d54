package vault

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"fmt"
)

// What ansible-vault's cipher AES256 is made of, see [envelope].
const (
	rounds    = 10_000 // of PBKDF2-HMAC-SHA256
	keySize   = 32     // of each of the two keys
	blockSize = aes.BlockSize
	sumSize   = sha256.Size
)

// keys are what a password and a salt make.
type keys struct {
	cipher  []byte // AES-256
	sum     []byte // HMAC-SHA256
	counter []byte // first block of CTR
}

// derive takes some milliseconds, which is its purpose.
func derive(password string, salt []byte) (keys, error) {
	k, err := pbkdf2.Key(sha256.New, password, salt, rounds, 2*keySize+blockSize)
	if err != nil { // only in a mode of Go that allows nothing outside of FIPS 140
		return keys{}, fmt.Errorf("derive the keys: %w", err)
	}
	return keys{k[:keySize], k[keySize : 2*keySize], k[2*keySize:]}, nil
}

// seal pads to full blocks (PKCS #7, RFC 5652 section 6.3), encrypts and
// authenticates.
func (k keys) seal(plain []byte) (sum, ciphertext []byte) {
	n := blockSize - len(plain)%blockSize
	ciphertext = make([]byte, len(plain)+n)
	copy(ciphertext, plain)
	copy(ciphertext[len(plain):], bytes.Repeat([]byte{byte(n)}, n))
	k.stream().XORKeyStream(ciphertext, ciphertext)
	return k.authenticate(ciphertext), ciphertext
}

// open decrypts an envelope, once it is known to be authentic.
func (k keys) open(e envelope) ([]byte, error) {
	if !hmac.Equal(k.authenticate(e.ciphertext), e.sum) {
		return nil, ErrPassword
	}
	plain := make([]byte, len(e.ciphertext))
	k.stream().XORKeyStream(plain, e.ciphertext)
	n := int(plain[len(plain)-1])
	if n == 0 || n > blockSize || !bytes.Equal(plain[len(plain)-n:], bytes.Repeat([]byte{byte(n)}, n)) {
		return nil, fmt.Errorf("%w: its padding, though it is authentic", ErrDamaged)
	}
	return plain[:len(plain)-n], nil
}

func (k keys) authenticate(ciphertext []byte) []byte {
	h := hmac.New(sha256.New, k.sum)
	h.Write(ciphertext)
	return h.Sum(nil)
}

func (k keys) stream() cipher.Stream {
	block, err := aes.NewCipher(k.cipher)
	if err != nil {
		panic(err) // the key has 32 bytes
	}
	return cipher.NewCTR(block, k.counter)
}
