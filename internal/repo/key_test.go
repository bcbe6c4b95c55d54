package repo

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

	"github.com/ProtonMail/go-crypto/openpgp/armor"
)

const signedText = "Origin: kinectl\n- a dash\n"

func TestKey(t *testing.T) {
	f := func(kind KeyType) {
		t.Helper()
		key, err := NewKey("kinectl", kind, clock)
		if err != nil {
			t.Fatal(err)
		}
		private, err := key.Private()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseKey(private)
		if err != nil || again.Fingerprint() != key.Fingerprint() {
			t.Fatalf("the private key reads back as %v, %v", again, err)
		}
		if printed := fmt.Sprintf("%v %s %+v", key, key, again); strings.Contains(printed, "entity") || len(printed) != 3*40+2 {
			t.Errorf("a key prints as %s", printed)
		}
		public, err := key.Public()
		if err != nil {
			t.Fatal(err)
		}
		trusted, err := parseKeyring(public)
		if err != nil {
			t.Fatal(err)
		}
		inRelease, detached, err := again.sign([]byte(signedText), clock)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := trusted.open(inRelease, clock); err != nil || text != signedText {
			t.Errorf("%s: signed text reads as %q, %v", kind, text, err)
		}
		if !trusted.holds([]byte(signedText), detached, clock) || trusted.holds([]byte(signedText+"x"), detached, clock) {
			t.Errorf("%s: the detached signature does not tell its text from another", kind)
		}
		if same, _, _ := key.sign([]byte(signedText), clock); !bytes.Equal(same, inRelease) {
			t.Errorf("%s: the same text at the same time is signed differently", kind)
		}
		gpgv(t, public, inRelease, detached)
	}
	f(Ed25519)
	if !testing.Short() {
		f(RSA4096)
	}
	if _, err := NewKey("kinectl", "dsa", clock); !errors.Is(err, ErrUsage) {
		t.Errorf("an unknown key type gives %v", err)
	}
}

// gpgv asks the program that apt asks.
func gpgv(t *testing.T, public, inRelease, detached []byte) {
	t.Helper()
	program, err := exec.LookPath("gpgv")
	if err != nil {
		t.Log("gpgv is not installed: signatures are checked by our own library only")
		return
	}
	dir := t.TempDir()
	block, err := armor.Decode(bytes.NewReader(public))
	if err != nil {
		t.Fatal(err)
	}
	var ring bytes.Buffer
	if _, err := ring.ReadFrom(block.Body); err != nil {
		t.Fatal(err)
	}
	write := func(name string, body []byte) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, body, 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	ringFile := write("ring.gpg", ring.Bytes())
	for _, args := range [][]string{
		{write("InRelease", inRelease)},
		{write("Release.gpg", detached), write("Release", []byte(signedText))},
	} {
		// A clock in the past would make the signature one of the future.
		out, err := exec.Command(program, append([]string{"--homedir", dir, "--ignore-time-conflict", "--keyring", ringFile}, args...)...).CombinedOutput()
		if err != nil {
			t.Errorf("gpgv %v: %v\n%s", args, err, out)
		}
	}
}

func TestOpenRefusesSignatures(t *testing.T) {
	mine, _ := NewKey("mine", Ed25519, clock)
	other, _ := NewKey("other", Ed25519, clock)
	public, _ := mine.Public()
	trusted, err := parseKeyring(public)
	if err != nil {
		t.Fatal(err)
	}
	signed, _, err := mine.sign([]byte(signedText), clock)
	if err != nil {
		t.Fatal(err)
	}
	foreign, _, _ := other.sign([]byte(signedText), clock)
	f := func(document []byte, now time.Time) {
		t.Helper()
		if text, err := trusted.open(document, now); !errors.Is(err, ErrSignature) {
			t.Errorf("accepted: %q, %v", text, err)
		}
	}
	f(nil, clock)
	f([]byte(signedText), clock)
	f(foreign, clock)
	f(bytes.Replace(signed, []byte("kinectl"), []byte("kinectI"), 1), clock)
	f(append([]byte("Origin: forged\n"), signed...), clock) // text before what was signed
	f(append(bytes.Clone(signed), "Origin: forged\n"...), clock)
	f(append(bytes.Clone(signed), foreign...), clock)
	f(signed, clock.Add(-24*time.Hour)) // made in the future
}

func TestKeyFiles(t *testing.T) {
	dir, o := testRepo(t)
	file := debFile(t, "hello", "1.0", "amd64", "one")
	f := func(change func(o *Options), want string) {
		t.Helper()
		changed := o
		change(&changed)
		_, err := Publish(t.Context(), dir, []string{file}, changed)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
	found, _ := filepath.Glob(filepath.Join(o.KeyDir, "*.asc"))
	if len(found) != 1 {
		t.Fatalf("private keys: %v", found)
	}
	if info, err := os.Stat(found[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("private key: %v, %v", info.Mode(), err)
	}
	if info, err := os.Stat(o.KeyDir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("directory of private keys: %v, %v", info.Mode(), err)
	}
	other, _ := NewKey("other", Ed25519, clock)
	private, _ := other.Private()
	foreign := filepath.Join(t.TempDir(), "other.asc")
	if err := os.WriteFile(foreign, private, 0o600); err != nil {
		t.Fatal(err)
	}
	public, _ := other.Public()
	publicFile := filepath.Join(t.TempDir(), "public.asc")
	if err := os.WriteFile(publicFile, public, 0o600); err != nil {
		t.Fatal(err)
	}
	f(func(o *Options) { o.KeyDir = t.TempDir() }, "the private key is missing")
	f(func(o *Options) { o.KeyFile = filepath.Join(dir, "none") }, "the private key is missing")
	f(func(o *Options) { o.KeyFile = foreign }, "but hosts trust")
	f(func(o *Options) { o.KeyFile = publicFile }, "not one OpenPGP private key")
	f(func(o *Options) { o.KeyFile = file }, "chmod 600")
	if err := os.Chmod(found[0], 0o640); err != nil {
		t.Fatal(err)
	}
	f(func(*Options) {}, "chmod 600")
}
