package signing

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// secretBody is the body of an RSA secret key packet.
func secretBody(t testing.TB) (*rsa.PrivateKey, []byte) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := packet.NewRSAPrivateKey(clock, key).Serialize(&b); err != nil {
		t.Fatal(err)
	}
	p, err := packet.NewOpaqueReader(&b).Next()
	if err != nil {
		t.Fatal(err)
	}
	return key, p.Contents
}

func TestSplitRSA(t *testing.T) {
	key, body := secretBody(t)
	private, public := splitRSA(body)
	if private == nil || private.D.Cmp(key.D) != 0 || private.N.Cmp(key.N) != 0 || !bytes.HasPrefix(body, public) {
		t.Fatal("a sound key is not taken")
	}
	// Whatever byte of it is changed, a key with a wrong part is not taken:
	// it would give its factors away with the first wrong signature.
	for i := range body {
		changed := bytes.Clone(body)
		changed[i] ^= 1
		if private, _ := splitRSA(changed); private != nil && (private.N.Cmp(key.N) != 0 || private.D.Cmp(key.D) != 0) {
			t.Errorf("byte %d changed: taken", i)
		}
		if private, _ := splitRSA(body[:i]); private != nil {
			t.Errorf("cut after %d bytes: taken", i)
		}
	}
}

func FuzzSplitRSA(f *testing.F) {
	_, body := secretBody(f)
	f.Add(body)
	f.Add(body[:300])
	f.Fuzz(func(t *testing.T, body []byte) {
		private, public := splitRSA(body)
		if private != nil && (private.Validate() != nil || !bytes.HasPrefix(body, public)) {
			t.Error("an unsound key is taken")
		}
	})
}

func FuzzParseKey(f *testing.F) {
	text, err := testKey(f, "kinectl", Ed25519).Private()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add(armorOf("PGP PRIVATE KEY BLOCK", []byte{0xc5, 6, 4, 0, 0, 0, 0, 1}))
	f.Fuzz(func(t *testing.T, text []byte) {
		if key, err := ParseKey(text); err == nil && len(key.Fingerprint()) != 40 {
			t.Errorf("a key with the fingerprint %s", key)
		}
	})
}
