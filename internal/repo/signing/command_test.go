package signing

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/eddsa"

	"github.com/kinectl/kinectl/internal/needs"
)

// openssl makes a private key and its public part.
func openssl(t *testing.T, args ...string) (file string, public []byte) {
	t.Helper()
	program := needs.Program(t, "openssl", "a signing command was not tried")
	file = t.TempDir() + "/key.pem"
	if out, err := exec.Command(program, append([]string{"genpkey", "-quiet", "-out", file, "-algorithm"}, args...)...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	public, err := exec.Command(program, "pkey", "-in", file, "-pubout").Output()
	if err != nil {
		t.Fatal(err)
	}
	return file, public
}

const (
	withRSA = "openssl pkeyutl -sign -inkey %s -pkeyopt digest:$KINECTL_HASH"
	// It wants a file: for Ed25519 the digest is the message, read twice.
	withEd25519 = `d=$(mktemp) && cat >"$d" && openssl pkeyutl -sign -rawin -in "$d" -inkey %s; code=$?; rm -f "$d"; exit $code`
)

// TestCommand signs by openssl, with an RSA and with an Ed25519 key that
// nothing else holds.
func TestCommand(t *testing.T) {
	f := func(command string, args ...string) Signer {
		t.Helper()
		file, public := openssl(t, args...)
		command = fmt.Sprintf(command, file)
		certified, err := Certify(t.Context(), "kinectl", public, command, clock)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Certify(t.Context(), "kinectl", public, command, clock)
		if err != nil || !bytes.Equal(certified.Certificate(), again.Certificate()) {
			t.Errorf("certified differently again: %v", err)
		}
		trusted := ringOf(t, certified)
		signers, err := Find(t.Context(), trusted, Source{Keys: []string{"exec:" + command}})
		if err != nil {
			t.Fatal(err)
		}
		inRelease, err := signers.ClearSign(t.Context(), []byte(signedText), clock)
		if err != nil {
			t.Fatal(err)
		}
		detached, err := signers.Detach(t.Context(), []byte(signedText), clock)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := trusted.Open(inRelease, clock); err != nil || text != signedText {
			t.Errorf("opens as %q, %v", text, err)
		}
		if err := trusted.Verify([]byte(signedText), detached, clock); err != nil {
			t.Error(err)
		}
		gpgv(t, trusted, inRelease, detached)
		return certified
	}
	s := f(withRSA, "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
	if printed := fmt.Sprintf("%v %+v %s", s, s, s); printed != strings.TrimSpace(strings.Repeat(s.Fingerprint()+" ", 3)) {
		t.Errorf("it prints as %s", printed)
	}
	f(withEd25519, "ED25519")
}

// TestSameKey: a key in a file, and the same one behind a command, make the
// same bytes.
func TestSameKey(t *testing.T) {
	needs.Program(t, "openssl", "a signing command was not tried")
	f := func(kind KeyType, command string) {
		t.Helper()
		key := testKey(t, "kinectl", kind)
		var private any = key.entity.PrivateKey.PrivateKey
		if p, ok := private.(*eddsa.PrivateKey); ok {
			private = ed25519.NewKeyFromSeed(p.MarshalByteSecret())
		}
		der, err := x509.MarshalPKCS8PrivateKey(private)
		if err != nil {
			t.Fatal(err)
		}
		file := write(t, t.TempDir()+"/key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
		signers, err := Find(t.Context(), ringOf(t, key), Source{Keys: []string{"exec:" + fmt.Sprintf(command, file)}})
		if err != nil {
			t.Fatal(err)
		}
		for _, kind := range []Kind{Binary, Text} {
			want, err := key.Sign(t.Context(), strings.NewReader(signedText), kind, clock)
			if err != nil {
				t.Fatal(err)
			}
			got, err := signers[0].Sign(t.Context(), strings.NewReader(signedText), kind, clock)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("kind %d: other bytes than from the file: %v", kind, err)
			}
		}
	}
	f(Ed25519, withEd25519)
	if !testing.Short() {
		f(RSA4096, withRSA)
	}
}

func TestCommandRefuses(t *testing.T) {
	key := testKey(t, "kinectl", Ed25519)
	other := testKey(t, "other", Ed25519)
	t.Setenv(Variable, private(t, other))
	t.Setenv("OUR_SECRET", private(t, other))
	f := func(command, want string) {
		t.Helper()
		signers, err := Find(t.Context(), ringOf(t, other, key), Source{Keys: []string{"env:OUR_SECRET", "exec:" + command}})
		if err != nil {
			t.Fatal(err)
		}
		out, err := signers[1:].Detach(t.Context(), []byte(signedText), clock)
		if out != nil || err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "sign with key "+key.Fingerprint()) {
			t.Errorf("%s: got %d bytes, %v, want an error with %q", command, len(out), err, want)
		}
		if err != nil && strings.Contains(err.Error(), "PRIVATE") {
			t.Errorf("%s: the error tells the key", command)
		}
	}
	f("exit 3", "exit status 3")
	f("echo no such key >&2; exit 1", "exit status 1: no such key")
	f("none-of-it", "not found")
	f("true", "it printed 0 bytes where a raw signature has 64")
	f("{ echo access denied >&2; false; } | base64 -d", "access denied")
	f("head -c 64 /dev/zero", "not a signature of the digest by this key")
	f("cat", "not a signature of the digest")
	f("head -c 2000000 /dev/zero", "it printed more than")
	f(`head -c 100000 /dev/zero | tr '\0' x >&2; exit 1`, "xxxx")
	// What it finds: the hash and the fingerprint, and no private key.
	f(`echo "$KINECTL_HASH $KINECTL_FINGERPRINT $(wc -c)" >&2; exit 1`, "sha512 "+key.Fingerprint()+" 64")
	f("env | grep PRIVATE >&2; echo none >&2; exit 1", "none")
	f(`echo "<$KINECTL_SIGNING_KEY$OUR_SECRET>" >&2; exit 1`, "<>")

	weak, public := openssl(t, "RSA", "-pkeyopt", "rsa_keygen_bits:1024")
	if _, err := Certify(t.Context(), "kinectl", public, "openssl pkeyutl -sign -inkey "+weak, clock); !errors.Is(err, ErrKeyType) {
		t.Errorf("a small key: %v", err)
	}
	_, public = openssl(t, "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
	if _, err := Certify(t.Context(), "kinectl", public, "false", clock); !errors.Is(err, ErrKeyType) {
		t.Errorf("another curve: %v", err)
	}
	if _, err := Certify(t.Context(), "kinectl", []byte("x"), "false", clock); err == nil {
		t.Error("text passes as a public key")
	}
}

// TestCommandHangs: the end of the context ends the command and its children,
// one of which holds the output open.
func TestCommandHangs(t *testing.T) {
	key := testKey(t, "kinectl", Ed25519)
	dir := t.TempDir()
	signers, err := Find(t.Context(), ringOf(t, key), Source{Keys: []string{"exec:echo waiting >&2; mkfifo " + dir + "/p; sleep 600 & echo $! >" + dir + "/pid; cat " + dir + "/p"}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err = signers.Detach(ctx, []byte(signedText), clock)
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "waiting") {
		t.Errorf("got %v", err)
	}
	if took := time.Since(start); took > 1900*time.Millisecond { // its children died too, or the wait for the output would be 2 s
		t.Errorf("it took %s", took)
	}
}
