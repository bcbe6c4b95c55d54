package signing

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"

	"github.com/kinectl/kinectl/internal/needs"
)

// clock is when the tests sign.
var clock = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

const signedText = "Origin: kinectl\n- a dash\n"

func testKey(t testing.TB, name string, kind KeyType) *Key {
	t.Helper()
	key, err := NewKey(name, kind, clock)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func ringOf(t testing.TB, signers ...Signer) Keyring {
	t.Helper()
	var k Keyring
	for _, s := range signers {
		var err error
		if k, err = k.With(s.Certificate()); err != nil {
			t.Fatal(err)
		}
	}
	return k
}

func TestKey(t *testing.T) {
	f := func(kind KeyType) {
		t.Helper()
		key := testKey(t, "kinectl", kind)
		private, err := key.Private()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseKey(private)
		if err != nil || again.Fingerprint() != key.Fingerprint() || !bytes.Equal(again.Certificate(), key.Certificate()) {
			t.Fatalf("the private key reads back as %v, %v", again, err)
		}
		if printed := fmt.Sprintf("%v %s %+v", key, key, again); strings.Contains(printed, "entity") || len(printed) != 3*40+2 {
			t.Errorf("a key prints as %s", printed)
		}
		trusted, signers := ringOf(t, key), Signers{again}
		inRelease, err := signers.ClearSign(t.Context(), []byte(signedText), clock)
		if err != nil {
			t.Fatal(err)
		}
		detached, err := signers.Detach(t.Context(), []byte(signedText), clock)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := trusted.Open(inRelease, clock); err != nil || text != signedText {
			t.Errorf("%s: signed text reads as %q, %v", kind, text, err)
		}
		if err := trusted.Verify([]byte(signedText), detached, clock); err != nil {
			t.Error(err)
		}
		if err := trusted.Verify([]byte(signedText+"x"), detached, clock); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: another text is signed too: %v", kind, err)
		}
		if same, _ := (Signers{key}).ClearSign(t.Context(), []byte(signedText), clock); !bytes.Equal(same, inRelease) {
			t.Errorf("%s: the same text at the same time is signed differently", kind)
		}
		gpgv(t, trusted, inRelease, detached)
	}
	f(Ed25519)
	if !testing.Short() {
		f(RSA4096)
	}
	if _, err := NewKey("kinectl", "dsa", clock); !errors.Is(err, ErrKeyType) {
		t.Errorf("an unknown key type gives %v", err)
	}
}

func TestParseKeyRefuses(t *testing.T) {
	key := testKey(t, "kinectl", Ed25519)
	f := func(text []byte, want string) {
		t.Helper()
		_, err := ParseKey(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
	private, err := key.Private()
	if err != nil {
		t.Fatal(err)
	}
	f(nil, "not an armored")
	f([]byte("secret text"), "not an armored")
	f(ringOf(t, key).Armored(), "but the public key "+key.Fingerprint())
	f(append(bytes.Clone(private), private...), "not one OpenPGP private key, but 2")
	f(bytes.Replace(private, []byte("\n\n"), []byte("\n\nAAAA"), 1), "damaged")

	locked, err := openpgp.NewEntity("locked", "", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := locked.EncryptPrivateKeys([]byte("word"), nil); err != nil {
		t.Fatal(err)
	}
	text, err := keyOf(locked).Private()
	if err != nil {
		t.Fatal(err)
	}
	f(text, "gpg:"+fingerprint(locked.PrimaryKey))
}

func write(t *testing.T, file string, body []byte) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, body, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// gpgv asks the program that apt asks.
func gpgv(t *testing.T, trusted Keyring, inRelease, detached []byte) {
	t.Helper()
	for _, got := range gpgvSays(t, trusted, inRelease, detached, []byte(signedText)) {
		if got != nil {
			t.Error(got)
		}
	}
}

// gpgvSays gives its answers about the clear-signed text and the detached
// signature.
func gpgvSays(t *testing.T, trusted Keyring, inRelease, detached, text []byte) [2]error {
	t.Helper()
	program := needs.Program(t, "gpgv", "signatures were checked by our own code only")
	dir := t.TempDir()
	var ring []byte
	for _, c := range trusted.certificates {
		ring = append(ring, c.packets...)
	}
	// A clock in the past would make the signature one of the future.
	args := []string{"--homedir", dir, "--ignore-time-conflict", "--status-fd", "1", "--keyring", write(t, dir+"/ring.gpg", ring)}
	var says [2]error
	for i, files := range [][]string{
		{write(t, dir+"/InRelease", inRelease)},
		{write(t, dir+"/Release.gpg", detached), write(t, dir+"/Release", text)},
	} {
		// As apt does: its exit code is 2 when one of the keys is not known.
		out, _ := exec.Command(program, append(args, files...)...).CombinedOutput()
		if !bytes.Contains(out, []byte("] VALIDSIG ")) || bytes.Contains(out, []byte("] BADSIG ")) {
			says[i] = fmt.Errorf("gpgv %v:\n%.2000s", files, out)
		}
	}
	return says
}
