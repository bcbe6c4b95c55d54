package rpmfile

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kinectl/kinectl/internal/needs"
	"github.com/kinectl/kinectl/internal/repo/signing"
)

// rpmDB is an rpm database that trusts these keys and no other.
func rpmDB(t testing.TB, signers ...signing.Signer) string {
	t.Helper()
	needs.Program(t, "rpm", "packages were not compared with the real one")
	needs.Program(t, "rpmkeys", "packages were not compared with the real one")
	db := t.TempDir()
	for _, s := range signers {
		ring, err := signing.ParseKeyring(s.Certificate())
		check(t, err)
		key := filepath.Join(t.TempDir(), "key.asc")
		check(t, os.WriteFile(key, ring.Armored(), 0o644))
		run(t, "rpmkeys", "--dbpath", db, "--import", key)
	}
	return db
}

// rpmCheck is what rpm says of a file when everything must be there.
func rpmCheck(t testing.TB, db string, body []byte, options ...string) (string, error) {
	t.Helper()
	args := append([]string{"--dbpath", db, "--define", "_pkgverify_level all", "-K"}, options...)
	out, err := exec.Command("rpm", append(args, write(t, body))...).CombinedOutput()
	return string(out), err
}

// gpgKey makes a key with gpg, and a signer that signs through it.
func gpgKey(t testing.TB, algorithm string) signing.Signer {
	t.Helper()
	needs.Program(t, "gpg", "packages were not compared with the real one")
	home, err := os.MkdirTemp("", "gpg") // the socket's path must be short
	check(t, err)
	t.Cleanup(func() {
		_ = exec.Command("gpgconf", "--homedir", home, "--kill", "all").Run()
		_ = os.RemoveAll(home)
	})
	t.Setenv("GNUPGHOME", home)
	run(t, "gpg", "--batch", "--passphrase", "", "--quick-gen-key", "rpm@example.com", algorithm, "sign", "never")
	fingerprint := regexp.MustCompile(`(?m)^fpr:+([0-9A-F]{40}):`).FindStringSubmatch(run(t, "gpg", "--with-colons", "--list-keys"))[1]
	signers, err := signing.Load(t.Context(), "gpg:"+fingerprint)
	check(t, err)
	return signers[0]
}

// TestSignedForRPM: rpm takes what was signed, with every digest and signature
// there is, and refuses it when a byte of header, payload or signature is
// another one.
func TestSignedForRPM(t *testing.T) {
	rsa, ed := newKey(t, signing.RSA4096), newKey(t, signing.Ed25519)
	gpgRSA, gpgEd := gpgKey(t, "rsa4096"), gpgKey(t, "ed25519")
	db := rpmDB(t, rsa, ed, gpgRSA, gpgEd)
	f := func(body []byte, s signing.Signer, want ...string) {
		t.Helper()
		if out, err := rpmCheck(t, db, body); err == nil {
			t.Errorf("before signing: %s", out) // or the database asks for nothing
		}
		out, signed := sign(t, body, s)
		if told, err := rpmCheck(t, db, out); err != nil || !strings.HasSuffix(told, ": digests signatures OK\n") {
			t.Errorf("rpm -K: %v: %s", err, told)
		}
		told, _ := rpmCheck(t, db, out, "-v")
		for _, line := range append(want, "Header SHA256 digest: OK", "Header SHA1 digest: OK", "MD5 digest: OK") {
			if !regexp.MustCompile(`(?m)^    ` + line + "$").MatchString(told) {
				t.Errorf("rpm -Kv does not say %q:\n%s", line, told)
			}
		}
		signature := int64(bytes.Index(out, signatureOf(t, out))) + 100
		for name, at := range map[string]int64{
			"header": (signed.HeaderStart + signed.HeaderEnd) / 2, "payload": signed.HeaderEnd + 10,
			"end of the payload": signed.Size - 1, "signature": signature,
		} {
			out[at] ^= 1
			if told, err := rpmCheck(t, db, out); err == nil {
				t.Errorf("rpm takes another byte in %s: %s", name, told)
			}
			out[at] ^= 1
		}
	}
	hello, demo := nfpmRPM(t), rpmbuild(t, "-bb")
	rsaLines := []string{"Header V4 RSA/SHA512 Signature, key ID [0-9a-f]+: OK", "Payload SHA256 digest: OK"}
	edLines := []string{"Header V4 EdDSA/SHA512 Signature, key ID [0-9a-f]+: OK", "Payload SHA256 digest: OK"}
	f(hello, rsa, rsaLines...)
	f(hello, ed, edLines...)
	f(hello, gpgRSA, strings.ReplaceAll(rsaLines[0], "SHA512", "SHA[0-9]+"))
	f(hello, gpgEd, strings.ReplaceAll(edLines[0], "SHA512", "SHA[0-9]+"))
	f(demo, rsa, rsaLines...)
	f(demo, ed, edLines...)
	again, _ := sign(t, hello, ed)
	untrusted := rpmDB(t, rsa)
	if told, err := rpmCheck(t, untrusted, again); err == nil {
		t.Errorf("a key that was not imported is taken: %s", told)
	}
}

func signatureOf(t testing.TB, body []byte) []byte {
	t.Helper()
	h, err := readHeader(bytes.NewReader(body), leadSize, tagSignatures, maxSignatureData)
	check(t, err)
	f := &fields{header: h}
	if s := f.binary(sigRSA); s != nil {
		return s
	}
	return f.binary(sigDSA)
}

// TestSignedOldPackages: packages of old rpms have fewer digests, and get them all.
func TestSignedOldPackages(t *testing.T) {
	rsa := newKey(t, signing.RSA4096)
	db := rpmDB(t, rsa)
	payload := []byte("payload")
	values := minimal(payload)
	delete(values, tagPayloadDigest)
	delete(values, tagPayloadDigestAlgo)
	head := makeRPM(values, nil)[leadSize+48:]
	out, _ := sign(t, makeRPM(values, payload, md5Value(head, payload)), rsa)
	if told, err := rpmCheck(t, db, out); err != nil {
		t.Errorf("rpm -K: %v: %s", err, told)
	}
}

// TestSignedTwice: signing changes nothing but the signature, and a key gives
// the same bytes whenever it signs and whatever signature was there before.
func TestSignedTwice(t *testing.T) {
	rsa, ed := newKey(t, signing.RSA4096), newKey(t, signing.Ed25519)
	body := nfpmRPM(t)
	first, signed := sign(t, body, ed)
	other, _ := sign(t, first, rsa)
	second, _ := sign(t, other, ed)
	if !bytes.Equal(first, second) {
		t.Error("signed by another key in between, the file is another one")
	}
	if bytes.Equal(first, other) {
		t.Error("two keys give the same file")
	}
	for _, b := range [][]byte{first, other} {
		if got, want := mustRead(t, b).Identity(), mustRead(t, body).Identity(); got != want {
			t.Errorf("identity %s, before it was %s", got, want)
		}
	}
	p := mustRead(t, first)
	if start, end := p.HeaderRange(); start != signed.HeaderStart || end != signed.HeaderEnd {
		t.Errorf("the header is at %d to %d, told %d to %d", start, end, signed.HeaderStart, signed.HeaderEnd)
	}
	lead := first[:leadSize]
	lead[20] ^= 1 // the name in the lead, which rpm does not read
	if again, _ := sign(t, first, ed); !bytes.Equal(again, second) {
		t.Error("a changed lead is in the signed file")
	}
}

// TestSignedKeepsFileSignatures: IMA signatures are the builder's, not ours.
func TestSignedKeepsFileSignatures(t *testing.T) {
	payload := []byte("x")
	ima := value{sigFileSignatures, kindStringArray, 2, []byte("0302\x000303\x00")}
	length := value{sigFileLength, kindInt32, 1, []byte{0, 0, 0, 4}}
	out, _ := sign(t, makeRPM(minimal(payload), payload, ima, length), newKey(t, signing.Ed25519))
	h, err := readHeader(bytes.NewReader(out), leadSize, tagSignatures, maxSignatureData)
	check(t, err)
	f := &fields{header: h}
	if got := strings.Join(f.texts(sigFileSignatures), " "); got != "0302 0303" || f.number(sigFileLength) != 4 {
		t.Errorf("got %q", got)
	}
}

// TestHeaderRange: createrepo_c finds the header where Signed says it is.
func TestHeaderRange(t *testing.T) {
	needs.Program(t, "createrepo_c", "packages were not compared with the real one")
	f := func(body []byte) {
		t.Helper()
		out, signed := sign(t, body, newKey(t, signing.Ed25519))
		dir := t.TempDir()
		check(t, os.WriteFile(filepath.Join(dir, "a.rpm"), out, 0o644))
		run(t, "createrepo_c", "--simple-md-filenames", dir)
		file, err := os.Open(filepath.Join(dir, "repodata/primary.xml.gz"))
		check(t, err)
		defer file.Close()
		plain, err := gzip.NewReader(file)
		check(t, err)
		xml, err := io.ReadAll(plain)
		check(t, err)
		want := `<rpm:header-range start="` + strconv.FormatInt(signed.HeaderStart, 10) + `" end="` + strconv.FormatInt(signed.HeaderEnd, 10) + `"/>`
		if !bytes.Contains(xml, []byte(want)) || !bytes.Contains(xml, []byte(signed.SHA256)) {
			t.Errorf("%s is not in\n%s", want, xml)
		}
	}
	f(nfpmRPM(t))
	f(rpmbuild(t, "-bb"))
}

func TestSignatureTime(t *testing.T) {
	day := func(n int) time.Time { return built.AddDate(0, 0, n) }
	f := func(built, created, now, want time.Time) {
		t.Helper()
		if got := signatureTime(built, created, now); !got.Equal(want) {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	f(day(2), day(1), day(9), day(2))
	f(day(1), day(2), day(9), day(2))
	f(day(5), day(1), day(3), day(1))          // built in the future
	f(time.Unix(0, 0), day(1), day(3), day(1)) // a package that does not say
}

// changing is a source whose last byte becomes another one.
type changing struct {
	*bytes.Reader
	body []byte
}

func TestSignedRefuses(t *testing.T) {
	key := newKey(t, signing.Ed25519)
	body := nfpmRPM(t)
	source := changing{bytes.NewReader(body), body}
	p, err := Read(source)
	check(t, err)
	f := func(ctx context.Context, s signing.Signer, want string) {
		t.Helper()
		if _, err := p.Signed(ctx, s, now); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "sign hello 1.0.0-1 x86_64: ") {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f(ctx, newKey(t, signing.RSA4096), context.Canceled.Error())
	f(t.Context(), failing{key}, "the card is not there")
	f(t.Context(), nonsense{key}, "read the signature")
	body[len(body)-1] ^= 1
	f(t.Context(), key, "changed while it was read")
}

type failing struct{ signing.Signer }

func (failing) Sign(context.Context, io.Reader, signing.Kind, time.Time) ([]byte, error) {
	return nil, errors.New("the card is not there")
}

type nonsense struct{ signing.Signer }

func (nonsense) Sign(context.Context, io.Reader, signing.Kind, time.Time) ([]byte, error) {
	return []byte("nonsense"), nil
}
