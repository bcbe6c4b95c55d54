package vault

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

const value = "the value that nobody may see"

// samples are a text of each format, raw and base64. The salt is short, and one keyring reads
// them all, since each change of a salt costs a derivation.
func samples(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, id := range []string{"", "prod"} {
		text, err := encryptWith([]byte(value), NewPassword(id, "secret"), []byte("s"))
		if err != nil {
			t.Fatal(err)
		}
		all["raw "+id] = string(text)
		all["base64 "+id] = base64.StdEncoding.EncodeToString(text)
	}
	return all
}

// TestChanged puts every other byte into every place of a text. Only two places may change
// without notice, since nothing is lost: the last newline, and the vault id.
func TestChanged(t *testing.T) {
	ring := newKeyring([]Password{NewPassword("", "secret")})
	for name, text := range samples(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refused, harmless := 0, 0
			changed := []byte(text)
			for i := range changed {
				for c := range 256 {
					if byte(c) == text[i] {
						continue
					}
					changed[i] = byte(c)
					plain, err := ring.open(changed)
					switch {
					case errors.Is(err, ErrDamaged) || errors.Is(err, ErrPassword):
						refused++
					case err != nil || string(plain) != value:
						t.Fatalf("byte %d to %#x: %q, %v", i, c, plain, err)
					case !onlyBlanksOrID(t, text, string(changed)):
						t.Fatalf("byte %d to %#x is not noticed", i, c)
					default:
						harmless++
					}
					if !LooksEncrypted(string(changed)) {
						t.Fatalf("byte %d to %#x: taken for a plain value", i, c)
					}
				}
				changed[i] = text[i]
			}
			if refused < 200*len(text) || harmless == 0 {
				t.Fatalf("%d changes refused, %d harmless: the test does not test", refused, harmless)
			}
		})
	}
}

// onlyBlanksOrID tells whether two texts, raw or base64, differ in their vault id or in blanks at
// the end only.
func onlyBlanksOrID(t *testing.T, a, b string) bool {
	t.Helper()
	normal := func(s string) string {
		if !strings.HasPrefix(s, "$") {
			raw, err := fromBase64([]byte(s))
			if err != nil {
				t.Fatal(err)
			}
			s = string(raw)
		}
		header, body, _ := strings.Cut(strings.TrimRight(s, blanks), "\n")
		if fields := strings.Split(header, ";"); len(fields) == 4 {
			header = strings.Join(fields[:3], ";")
		}
		return header + "\n" + strings.TrimLeft(body, blanks)
	}
	return normal(a) == normal(b)
}

// TestTruncated cuts a text at every place, at its end and at its front.
func TestTruncated(t *testing.T) {
	ring := newKeyring([]Password{NewPassword("", "secret")})
	for name, text := range samples(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refused := 0
			for i := range len(text) {
				if i > 0 {
					if _, err := ring.open([]byte(text[i:])); !errors.Is(err, ErrDamaged) {
						t.Fatalf("without the first %d bytes: %v", i, err)
					}
				}
				plain, err := ring.open([]byte(text[:i]))
				if errors.Is(err, ErrDamaged) || errors.Is(err, ErrPassword) {
					refused++
				} else if err != nil || string(plain) != value || !onlyBlanksOrID(t, text, text[:i]) {
					t.Fatalf("cut after %d of %d bytes: %q, %v", i, len(text), plain, err)
				}
				if i >= len(markBase64) && !LooksEncrypted(text[:i]) {
					t.Fatalf("cut after %d bytes: taken for a plain value", i)
				}
			}
			if refused < len(text)-4 {
				t.Fatalf("%d of %d refused", refused, len(text))
			}
		})
	}
}

// TestAltered: what happens to a text on its way into a variable does not make a plain value of it.
func TestAltered(t *testing.T) {
	f := func(name, text string) {
		t.Helper()
		if !LooksEncrypted(text) {
			t.Errorf("%s: taken for a plain value: %.60q", name, text)
		}
	}
	line := base64.StdEncoding.EncodeToString
	for name, text := range samples(t) {
		for _, front := range []string{"\n", " ", "\r\n\t", "\n\n\n\n  "} {
			f(name+", blanks", front+text)
			f(name+", blanks inside of the base64", line([]byte(front+text)))
		}
		f(name+", base64 once more", line([]byte(text)))
		f(name+", base64 twice more", line([]byte(line([]byte(text)))))
		f(name+", in quotes", `"`+text+`"`)
		raw, isRaw := text, strings.HasPrefix(text, mark)
		least := 60 // characters that are left
		if isRaw {
			last := len(text) - strings.LastIndexByte(strings.TrimSpace(text), '\n') - 1
			least = last + 2*(lineLength+1)
		}
		for cut := 1; len(text)-cut >= least; cut++ {
			f(fmt.Sprintf("%s without %d in front", name, cut), text[cut:])
		}
		for cut := 1; len(text)-cut >= 60; cut++ {
			f(fmt.Sprintf("%s without %d in front, in base64", name, cut), line([]byte(text[cut:])))
		}
		if isRaw {
			_, body, _ := strings.Cut(raw, "\n")
			f(name+", its body", body)
			f(name+", its body with blanks for newlines", strings.ReplaceAll(body, "\n", " "))
			f(name+", its body indented", "  "+strings.ReplaceAll(body, "\n", "\r\n  "))
		}
	}
	ours, err := Encrypt([]byte(value), NewPassword("", "secret")) // with a salt of full length
	if err != nil {
		t.Fatal(err)
	}
	f("in one line", strings.ReplaceAll(string(ours[bytes.IndexByte(ours, '\n'):]), "\n", ""))
}

// TestPlainValues are no vault texts, though some are about them.
func TestPlainValues(t *testing.T) {
	f := func(s string) {
		t.Helper()
		if LooksEncrypted(s) {
			t.Errorf("%q is taken for a vault text", s)
		}
		if IsEncrypted([]byte(s)) {
			t.Errorf("%q is encrypted", s)
		}
		if _, err := Decrypt([]byte(s), NewPassword("", "secret")); !errors.Is(err, ErrDamaged) {
			t.Errorf("%q: %v", s, err)
		}
	}
	f("")
	f("$")
	f("$ANSIBLE")
	f("/home/x/$ANSIBLE_CONFIG")
	f("see $ANSIBLE_VAULT;")
	f("JEFO")
	f("AES256;1.1;")
	f(strings.Repeat("A", 4000))
	f("postgres://films@db/films?sslmode=require")

	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		key := make([]byte, 200)
		for i := range key {
			key[i] = byte(random.Uint32())
		}
		short, line := hex.EncodeToString(key[:32]), base64.StdEncoding.EncodeToString
		f(short)
		f(strings.ToUpper(short))
		f(hex.EncodeToString(key))
		f(hex.EncodeToString(key[:40]) + "\n" + hex.EncodeToString(key[40:80]) + "\n" + hex.EncodeToString(key[80:90])) // as xxd -p -c 40
		f(hex.EncodeToString([]byte(short)))                                                                            // a hash in hexadecimal twice
		f(line([]byte(short)))
		f(line([]byte(line(key[:32]))))
		f(line(key))
		f(base64.URLEncoding.EncodeToString(key))
		f(line([]byte(line(key))))
		f(line([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + line([]byte(`{"sub":"`+short+`"}`)) + "." + base64.RawURLEncoding.EncodeToString(key))
		f(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))
		f(line(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))
	}
	f(strings.Repeat("0", 400))
	f(strings.Repeat("1234567890", 40))
	f(strings.Repeat("30 31 32 33 34 35 36 37 38 39 ", 40))
	f(base64.StdEncoding.EncodeToString([]byte(strings.Repeat("deadbeef", 40))))
	f("age-secret-key-1qqpz4y0xqyj8d8n0u3zk5c7m9v2w4r6t8y0u2i4o6p8a0s2d4f6g8")
}
