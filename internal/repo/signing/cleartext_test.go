package signing

import (
	"bytes"
	"errors"
	"os/exec"
	"strings"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
)

func TestClearSign(t *testing.T) {
	key := testKey(t, "kinectl", Ed25519)
	trusted := ringOf(t, key)
	f := func(text, want string) {
		t.Helper()
		signed, err := Signers{key}.ClearSign(t.Context(), []byte(text), clock)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := trusted.Open(signed, clock); err != nil || got != want {
			t.Errorf("%q opens as %q, %v, want %q", text, got, err, want)
		}
		detached, err := Signers{key}.Detach(t.Context(), []byte(text), clock)
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range gpgvSays(t, trusted, signed, detached, []byte(text)) {
			if err != nil {
				t.Errorf("%q: %v", text, err)
			}
		}
	}
	f("", "\n")
	f("a", "a\n")
	f("a\n", "a\n")
	f("a\n\n", "a\n\n")
	f("\n\na\n", "\n\na\n")
	f("- a\n-\n--\n-----BEGIN PGP SIGNATURE-----\n", "- a\n-\n--\n-----BEGIN PGP SIGNATURE-----\n")
	f("From: me\nFrom here\n", "From: me\nFrom here\n")
	f("a \t\nb\t \n \nc", "a\nb\n\nc\n")
	f("a\r\nb\r\n", "a\nb\n")
	f("a\rb\n", "a\rb\n")
	f("ü \u2028\x7f\n", "ü \u2028\x7f\n")
	f(strings.Repeat("x", 10_000)+"\n", strings.Repeat("x", 10_000)+"\n") // gpg takes lines of up to 19,995 bytes
}

// TestOthersDocuments opens what gpg and the library write.
func TestOthersDocuments(t *testing.T) {
	key := testKey(t, "kinectl", Ed25519)
	trusted := ringOf(t, key)
	var b bytes.Buffer
	w, err := clearsign.Encode(&b, key.entity.PrivateKey, nil)
	if err != nil {
		t.Fatal(err)
	}
	w.Write([]byte("- a\nb"))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if text, err := trusted.Open(b.Bytes(), clock.AddDate(10, 0, 0)); err != nil || text != "- a\nb\n" {
		t.Errorf("the library's document opens as %q, %v", text, err)
	}
	g := newGnuPG(t)
	g.importKey(key)
	cmd := exec.Command("gpg", "--batch", "--clearsign", "--ignore-time-conflict", "-u", key.Fingerprint())
	cmd.Stdin = strings.NewReader("- a\nb\n")
	signed, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if text, err := trusted.Open(signed, clock.AddDate(10, 0, 0)); err != nil || text != "- a\nb\n" {
		t.Errorf("gpg's document opens as %q, %v", text, err)
	}
}

// TestSeveralKeys: who trusts one of two keys trusts what both signed.
func TestSeveralKeys(t *testing.T) {
	old, next, other := testKey(t, "old", Ed25519), testKey(t, "new", Ed25519), testKey(t, "other", Ed25519)
	both := Signers{old, next}
	inRelease, err := both.ClearSign(t.Context(), []byte(signedText), clock)
	if err != nil {
		t.Fatal(err)
	}
	detached, err := both.Detach(t.Context(), []byte(signedText), clock)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(inRelease, []byte("-----BEGIN PGP SIGNATURE")); n != 1 {
		t.Errorf("%d blocks of signatures", n)
	}
	f := func(trusted Keyring, want bool) {
		t.Helper()
		text, err := trusted.Open(inRelease, clock)
		if (err == nil) != want || want && text != signedText || !want && !errors.Is(err, ErrSignature) {
			t.Errorf("trusting %s: %q, %v", trusted, text, err)
		}
		if err := trusted.Verify([]byte(signedText), detached, clock); (err == nil) != want {
			t.Errorf("trusting %s: detached: %v", trusted, err)
		}
		for _, err := range gpgvSays(t, trusted, inRelease, detached, []byte(signedText)) {
			if (err == nil) != want {
				t.Errorf("trusting %s: %v", trusted, err)
			}
		}
	}
	f(ringOf(t, old), true)
	f(ringOf(t, next), true)
	f(ringOf(t, old, next), true)
	f(ringOf(t, next, other), true)
	f(ringOf(t, other), false)
	if _, err := (Signers{}).Detach(t.Context(), nil, clock); !errors.Is(err, ErrNoKey) {
		t.Errorf("nobody signed: %v", err)
	}
}
