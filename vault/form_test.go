package vault

import (
	"bytes"
	"encoding/base64"
	"errors"
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
