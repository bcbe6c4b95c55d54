package signing

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/kinectl/kinectl/internal/needs"
)

// gnuPG is a gpg with a home of its own.
type gnuPG struct{ t *testing.T }

func newGnuPG(t *testing.T) gnuPG {
	t.Helper()
	needs.Program(t, "gpg", "keys that gpg holds were not tried")
	home, err := os.MkdirTemp("", "gpg") // the agent's socket needs a short path
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GNUPGHOME", home)
	write(t, home+"/gpg-agent.conf", []byte("pinentry-program /bin/false\ns2k-count 65536\n"))
	t.Cleanup(func() {
		if out, err := exec.Command("gpgconf", "--homedir", home, "--kill", "all").CombinedOutput(); err != nil {
			t.Errorf("stop the agent: %v\n%s", err, out)
		}
		os.RemoveAll(home)
	})
	return gnuPG{t}
}

func (g gnuPG) run(input []byte, args ...string) string {
	g.t.Helper()
	cmd := exec.Command("gpg", append([]string{"--batch", "--no-tty"}, args...)...)
	cmd.Stdin = bytes.NewReader(input)
	out, err := cmd.CombinedOutput()
	if err != nil {
		g.t.Fatalf("gpg %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func (g gnuPG) importKey(key *Key) {
	g.t.Helper()
	private, err := key.Private()
	if err != nil {
		g.t.Fatal(err)
	}
	g.run(private, "--ignore-time-conflict", "--import")
}

// fingerprints are those of all keys, subkeys included.
func (g gnuPG) fingerprints() []string {
	var all []string
	for _, line := range strings.Split(g.run(nil, "--with-colons", "--list-secret-keys"), "\n") {
		if fields := strings.Split(line, ":"); fields[0] == "fpr" {
			all = append(all, fields[9])
		}
	}
	return all
}

func TestGPG(t *testing.T) {
	g := newGnuPG(t)
	at := time.Now().Add(time.Minute).Truncate(time.Second) // after the keys are made
	f := func(args ...string) {
		t.Helper()
		before := len(g.fingerprints())
		g.run(nil, append([]string{"--passphrase", "", "--quick-generate-key"}, args...)...)
		primary := g.fingerprints()[before]
		if args[2] == "cert" {
			g.run(nil, "--passphrase", "", "--quick-add-key", primary, "ed25519", "sign", "never")
		}
		loaded, err := Load(t.Context(), "gpg:"+strings.ToLower(primary))
		if err != nil {
			t.Fatal(err)
		}
		trusted := ringOf(t, loaded...)
		// The same key, taken out of gpg.
		exported, err := ParseKey([]byte(g.run(nil, "--armor", "--export-secret-keys", primary)))
		if err != nil {
			t.Fatal(err)
		}
		signed, err := Signers{exported}.ClearSign(t.Context(), []byte(signedText), at)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := trusted.Open(signed, at); err != nil || text != signedText {
			t.Errorf("%v: taken out, it opens as %q, %v", args, text, err)
		}
		for _, name := range g.fingerprints()[before:] {
			if name == primary && args[2] == "cert" {
				name = name[:20] + " " + name[20:] // as people paste it
			}
			signers, err := Find(t.Context(), trusted, Source{Keys: []string{"gpg:" + name}})
			if err != nil {
				t.Fatal(err)
			}
			if signers[0].Fingerprint() != primary || !bytes.Equal(signers[0].Certificate(), loaded[0].Certificate()) {
				t.Errorf("found %s", signers)
			}
			signed, err := signers.ClearSign(t.Context(), []byte(signedText), at)
			if err != nil {
				t.Fatal(err)
			}
			if text, err := trusted.Open(signed, at); err != nil || text != signedText {
				t.Errorf("%v: opens as %q, %v", args, text, err)
			}
			detached, err := signers.Detach(t.Context(), []byte(signedText), at)
			if err != nil {
				t.Fatal(err)
			}
			if err := trusted.Verify([]byte(signedText), detached, at); err != nil {
				t.Errorf("%v: %v", args, err)
			}
			if same, err := signers.Detach(t.Context(), []byte(signedText), at); err != nil || !bytes.Equal(same, detached) {
				t.Errorf("%v: the same text at the same time is signed differently: %v", args, err)
			}
			gpgv(t, trusted, signed, detached)
		}
	}
	f("first", "rsa2048", "sign", "never")
	f("second", "ed25519", "sign", "never")
	f("third", "ed25519", "cert", "never") // signs with a subkey
}

func TestGPGRefuses(t *testing.T) {
	g := newGnuPG(t)
	inGPG, other := testKey(t, "ours", Ed25519), testKey(t, "other", Ed25519)
	g.run(other.Certificate(), "--import") // its public part only
	f := func(reference string, trusted Keyring, want string, is error) {
		t.Helper()
		_, err := Find(t.Context(), trusted, Source{Keys: []string{reference}})
		if err == nil || !strings.Contains(err.Error(), want) || is != nil && !errors.Is(err, is) {
			t.Errorf("%s: got %v, want an error with %q", reference, err, want)
		}
	}
	f("gpg:"+other.Fingerprint(), ringOf(t, other), "gpg has no private key "+other.Fingerprint(), ErrNoKey)
	f("gpg:"+inGPG.Fingerprint(), ringOf(t, inGPG), "No secret key", ErrNoKey)
	f("gpg:"+inGPG.Fingerprint(), ringOf(t, other), "but hosts trust "+other.Fingerprint(), nil)
	f("gpg:"+inGPG.Fingerprint()[24:], ringOf(t, inGPG), "40 hexadecimal digits", nil)
	if _, err := Load(t.Context(), "gpg:"+inGPG.Fingerprint()); !errors.Is(err, ErrNoKey) {
		t.Errorf("a key that gpg does not know: %v", err)
	}

	// A passphrase that nobody is there to type.
	g.run(nil, "--pinentry-mode", "loopback", "--passphrase", "word", "--quick-generate-key", "locked", "ed25519", "sign", "never")
	reference := "gpg:" + g.fingerprints()[0]
	locked, err := Load(t.Context(), reference)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("gpgconf", "--kill", "gpg-agent").CombinedOutput(); err != nil { // it remembers
		t.Fatalf("%v: %s", err, out)
	}
	signers, err := Find(t.Context(), ringOf(t, locked...), Source{Keys: []string{reference}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := signers.Detach(t.Context(), []byte(signedText), time.Now()); err == nil || !strings.Contains(err.Error(), "sign with key "+locked[0].Fingerprint()+": gpg: ") {
		t.Errorf("a locked key signs: %v", err)
	} else {
		t.Log(err)
	}
}
