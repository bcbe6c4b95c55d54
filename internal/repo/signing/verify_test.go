package signing

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestOpenRefuses(t *testing.T) {
	mine, other := testKey(t, "mine", Ed25519), testKey(t, "other", Ed25519)
	trusted := ringOf(t, mine)
	sign := func(signers ...Signer) []byte {
		t.Helper()
		signed, err := Signers(signers).ClearSign(t.Context(), []byte(signedText), clock)
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
	signed, foreign, both := sign(mine), sign(other), sign(other, mine)
	f := func(document []byte, now time.Time, want string) {
		t.Helper()
		if text, err := trusted.Open(document, now); !errors.Is(err, ErrSignature) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %q, %v, want an error with %q", text, err, want)
		}
	}
	f(nil, clock, "not a signed document")
	f([]byte(signedText), clock, "not a signed document")
	f(foreign, clock, "signed by key "+other.Fingerprint()+"; trusted: "+mine.Fingerprint())
	f(bytes.Replace(signed, []byte("kinectl"), []byte("kinectI"), 1), clock, mine.Fingerprint()+" signed something else")
	f(bytes.Replace(both, []byte("kinectl"), []byte("kinectI"), 1), clock, mine.Fingerprint()+" signed something else")
	f(append([]byte("Origin: forged\n"), signed...), clock, "text stands around it")
	f(append(bytes.Clone(signed), "Origin: forged\n"...), clock, "text stands around it")
	f(append(bytes.Clone(signed), foreign...), clock, "text stands around it")
	f(bytes.Replace(signed, []byte("Hash: SHA512\n"), []byte("Comment: x\n"), 1), clock, "not a signed document")
	f(signed, clock.Add(-2*time.Hour), "compare the clocks")
	if _, err := trusted.Open(signed, clock.Add(-30*time.Minute)); err != nil {
		t.Errorf("a clock half an hour late: %v", err)
	}
	if _, err := (Keyring{}).Open(signed, clock); !errors.Is(err, ErrSignature) {
		t.Errorf("nobody is trusted: %v", err)
	}

	// The clear text of a binary signature and the other way round.
	detached, err := Signers{mine}.Detach(t.Context(), []byte(strings.TrimSuffix(signedText, "\n")), clock)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(signed, []byte("-----BEGIN PGP SIGNATURE"))
	f(append(bytes.Clone(signed[:at]), detached...), clock, "another kind")
	if err := trusted.Verify([]byte(strings.TrimSuffix(signedText, "\n")), signed[at:], clock); !errors.Is(err, ErrSignature) {
		t.Errorf("a text signature passes as a binary one: %v", err)
	}
	if err := trusted.Verify([]byte(signedText), trusted.Armored(), clock); !errors.Is(err, ErrSignature) {
		t.Errorf("a public key passes as a signature: %v", err)
	}
	many := make(Signers, maxSignatures+1)
	for i := range many {
		many[i] = mine
	}
	f(sign(many...), clock, "more than 16")
}

func TestKeyring(t *testing.T) {
	a, b, c := testKey(t, "a", Ed25519), testKey(t, "b", Ed25519), testKey(t, "c", Ed25519)
	ring := ringOf(t, a, b)
	f := func(body []byte, want string) {
		t.Helper()
		got, err := ParseKeyring(body)
		if err != nil || strings.Join(got.Fingerprints(), " ") != want {
			t.Errorf("reads as %s, %v, want %s", got, err, want)
		}
	}
	fa, fb, fc := a.Fingerprint(), b.Fingerprint(), c.Fingerprint()
	f(ring.Armored(), fa+" "+fb)
	f(append(a.Certificate(), b.Certificate()...), fa+" "+fb)
	f([]byte("ours:\n"+string(ringOf(t, c).Armored())+"theirs:\n"+string(ring.Armored())), fc+" "+fa+" "+fb)
	f(append(ring.Armored(), ringOf(t, a).Armored()...), fa+" "+fb)
	f(ring.Without(fa).Armored(), fb)
	f(ring.Without(fc).Armored(), fa+" "+fb)
	if ring.Has(fc) || !ring.Has(fb) || len(ring.Fingerprints()) != 2 {
		t.Errorf("the ring changed: %s", ring)
	}

	private, err := a.Private()
	if err != nil {
		t.Fatal(err)
	}
	refuse := func(body []byte, want string) {
		t.Helper()
		if got, err := ParseKeyring(body); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("reads as %s, %v, want an error with %q", got, err, want)
		}
	}
	refuse(nil, "not an OpenPGP public key")
	refuse([]byte("key"), "not an OpenPGP public key")
	refuse(private, "a private key stands where public keys are wanted: "+fa)
	refuse(append(ring.Armored(), private...), "a private key stands")
	refuse(append(ring.Armored(), "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n"...), "not an OpenPGP public key")
	refuse(bytes.Repeat(ring.Armored(), maxKeys/len(ring.Armored())+1), "longer")
}

func FuzzParseKeyring(f *testing.F) {
	a, b := testKey(f, "a", Ed25519), testKey(f, "b", Ed25519)
	ring := ringOf(f, a, b)
	f.Add(ring.Armored())
	f.Add(a.Certificate())
	f.Add(b.Certificate()[:60])
	f.Add([]byte("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		ring, err := ParseKeyring(body)
		if err != nil {
			return
		}
		again, err := ParseKeyring(ring.Armored())
		if err != nil || again.String() != ring.String() {
			t.Errorf("%s reads back as %s, %v", ring, again, err)
		}
	})
}

// FuzzOpen: nothing but what the key signed comes out, whatever stands in the
// document.
func FuzzOpen(f *testing.F) {
	mine, other := testKey(f, "mine", Ed25519), testKey(f, "other", Ed25519)
	trusted := ringOf(f, mine)
	for _, signers := range []Signers{{mine}, {other}, {mine, other}} {
		signed, err := signers.ClearSign(f.Context(), []byte(signedText), clock)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(signed)
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		text, err := trusted.Open(document, clock)
		if err == nil && text != signedText {
			t.Errorf("opens as %q", text)
		}
	})
}
