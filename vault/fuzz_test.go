package vault

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
)

// FuzzParse: whatever comes in, the answer is an envelope that is written and read again, or
// ErrDamaged.
func FuzzParse(f *testing.F) {
	for _, id := range []string{"", "prod"} {
		text, err := encryptWith([]byte(value), NewPassword(id, "secret"), []byte("salt"))
		if err != nil {
			f.Fatal(err)
		}
		for _, form := range forms(string(text)) {
			f.Add([]byte(form))
		}
		f.Add(text[:len(text)/2])
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		before := bytes.Clone(text)
		e, err := parse(text)
		if !bytes.Equal(text, before) {
			t.Fatal("the caller's text is changed")
		}
		if err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Fatal(err)
			}
			return
		}
		if !IsEncrypted(text) || !LooksEncrypted(string(text)) {
			t.Fatalf("%q is not recognized", text)
		}
		written := e.text()
		for _, form := range [][]byte{written, []byte(base64.StdEncoding.EncodeToString(written))} {
			again, err := parse(form)
			if err != nil || !bytes.Equal(again.text(), written) {
				t.Fatalf("%q becomes %q: %v", text, form, err)
			}
		}
	})
}

// FuzzSeal: what is encrypted is decrypted, and not when a byte of it is another.
func FuzzSeal(f *testing.F) {
	k, err := derive("secret", []byte("salt"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(""), uint(0))
	f.Add([]byte(value), uint(7))
	f.Fuzz(func(t *testing.T, plain []byte, at uint) {
		sum, ciphertext := k.seal(plain)
		e, err := parse(envelope{salt: []byte("salt"), sum: sum, ciphertext: ciphertext}.text())
		if err != nil {
			t.Fatal(err)
		}
		if got, err := k.open(e); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("%q becomes %q: %v", plain, got, err)
		}
		e.ciphertext[at%uint(len(e.ciphertext))] ^= byte(at%255) + 1
		if got, err := k.open(e); !errors.Is(err, ErrPassword) || got != nil {
			t.Fatalf("a changed text is read: %q, %v", got, err)
		}
	})
}

// FuzzBundle: no text breaks the reader, and any value comes back when it is quoted.
func FuzzBundle(f *testing.F) {
	f.Add("A=1\nB=\"x\\\ny\"\n# c\nC='d' \n", `it's "quoted" \ $x`)
	f.Add("A=x\\", "\n")
	f.Add("A=1\r\n# c\\\r\nB=x\\\ry\r", "one\r\ntwo\rthree")
	f.Fuzz(func(t *testing.T, text, value string) {
		if _, err := ParseBundle([]byte(text)); err != nil && strings.Count(err.Error(), "\n") > 0 {
			t.Fatalf("%q: an error of several lines: %v", text, err)
		}
		quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "`", "\\`", "$", `\$`).Replace(value)
		got, err := ParseBundle([]byte("A=\"" + quoted + "\"\nB=2\n"))
		if err == nil && (got["A"] != value || got["B"] != "2" || len(got) != 2) {
			t.Fatalf("%q becomes %q", value, got)
		}
		if err != nil && !LooksEncrypted(value) && bytes.IndexByte([]byte(value), 0) < 0 && strings.ToValidUTF8(value, "") == value {
			t.Fatalf("%q: %v", value, err)
		}
	})
}

// FuzzEnviron: a value is left alone, refused by name, or decrypted; nothing breaks.
func FuzzEnviron(f *testing.F) {
	f.Add("DSN", "$ANSIBLE_VAULT;1.1;AES256\n00")
	f.Add("VAULT_BUNDLE", "A=1")
	f.Add("SKIP_DECRYPT", "x")
	f.Fuzz(func(t *testing.T, name, value string) {
		if e, err := parse([]byte(value)); err == nil && len(e.salt) > 0 {
			t.Skip() // its password is not known, and trying one takes long
		}
		_, err := Environ([]string{name + "=" + value}, []Password{NewPassword("", "secret")})
		var one *VariableError
		if err != nil && (!errors.As(err, &one) || !strings.HasPrefix(name+"=", one.Name)) {
			t.Fatalf("%q=%q: %v", name, value, err)
		}
	})
}
