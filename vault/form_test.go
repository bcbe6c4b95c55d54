package vault

import (
	"bytes"
	"encoding/base64"
	"errors"
	"runtime"
	"strings"
	"testing"
)

// TestForms: what is read, and what is damage though it looks like a text.
func TestForms(t *testing.T) {
	text, err := encryptWith([]byte(value), NewPassword("", "secret"), []byte("salt"))
	if err != nil {
		t.Fatal(err)
	}
	ring := newKeyring([]Password{NewPassword("", "secret")})
	f := func(name, text string, ok bool) {
		t.Helper()
		plain, err := ring.open([]byte(text))
		if ok && (err != nil || string(plain) != value) || !ok && !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %q, %v", name, plain, err)
		}
		if !IsEncrypted([]byte(text)) {
			t.Errorf("%s: not recognized", name)
		}
	}
	for name, form := range forms(string(text)) {
		f(name, form, true)
	}
	s := string(text)
	header, body, _ := strings.Cut(s, "\n")
	f("capitals", header+"\n"+strings.ReplaceAll(body, "a", "A"), false)
	f("a header alone", "$ANSIBLE_VAULT;1.1;AES256", false)
	f("format 1.0", strings.Replace(s, "1.1;AES256", "1.0;AES", 1), false)
	f("another cipher", strings.Replace(s, "AES256", "AES512", 1), false)
	f("1.2 with an id that is not written here", strings.Replace(s, "1.1;AES256", "1.2;AES256;größe, my\tprod", 1), true)
	f("1.2 with two ids", strings.Replace(s, "1.1;AES256", "1.2;AES256;a;b", 1), false)
	f("1.2 with a blank id", strings.Replace(s, "1.1;AES256", "1.2;AES256; \t", 1), false)
	f("1.1 with an id", strings.Replace(s, "AES256", "AES256;prod", 1), false)
	f("1.2 without", strings.Replace(s, "1.1", "1.2", 1), false)
	f("1.2 with an empty id", strings.Replace(s, "1.1;AES256", "1.2;AES256;", 1), false)
	f("base64 twice", base64.StdEncoding.EncodeToString([]byte("$ANSIBLE_VAULT;1.1;AES256\n"+base64.StdEncoding.EncodeToString(text))), false)
	e, err := parse(text)
	if err != nil {
		t.Fatal(err)
	}
	f("no salt", string(envelope{sum: e.sum, ciphertext: e.ciphertext}.text()), false)
	for _, end := range []string{"", "\n"} { // one of the two leaves bits of the last character unused
		const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
		line := base64.RawStdEncoding.EncodeToString(append(bytes.TrimRight(text, "\n"), end...))
		if len(line)%4 != 0 {
			last := strings.IndexByte(digits, line[len(line)-1])
			f("unused bits", line[:len(line)-1]+digits[last+1:last+2], false)
		}
	}
	f("half of the padding", base64.StdEncoding.EncodeToString(append(bytes.TrimRight(text, "\n"), ' '))+"=", false)
}

// TestPadding: a text that is authentic and has impossible padding was written by something else.
func TestPadding(t *testing.T) {
	k, err := derive("secret", []byte("salt"))
	if err != nil {
		t.Fatal(err)
	}
	f := func(end ...byte) {
		t.Helper()
		block := append(make([]byte, blockSize-len(end)), end...)
		k.stream().XORKeyStream(block, block)
		if plain, err := k.open(envelope{sum: k.authenticate(block), ciphertext: block}); !errors.Is(err, ErrDamaged) {
			t.Errorf("%v: %q, %v", end, plain, err)
		}
	}
	f(0)
	f(17)
	f(255)
	f(3, 2, 3)
	f(2, 3, 3)
}

// TestMemory: what parse takes is no multiple of the text, whatever is in it.
func TestMemory(t *testing.T) {
	const size = 1 << 20
	f := func(name, text string) {
		t.Helper()
		raw := []byte(text)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := parse(raw)
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > 3*uint64(len(raw)) || !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %d bytes for %d, %v", name, took, len(raw), err)
		}
	}
	const header = "$ANSIBLE_VAULT;1.1;AES256\n"
	f("parts", header+strings.Repeat("0a", size/2))
	f("fields", "$ANSIBLE_VAULT"+strings.Repeat(";", size))
	f("lines", header+strings.Repeat("0\n", size/2))
	f("words", strings.Repeat("A ", size/2))
	f("parts in base64", base64.StdEncoding.EncodeToString([]byte(header+strings.Repeat("0a", size/2))))
}
