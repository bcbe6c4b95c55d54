package vault

import (
	"encoding/base64"
	"errors"
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
		all["base64"] = base64.StdEncoding.EncodeToString(text)
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
					if !looksEncrypted(string(changed)) {
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
				if i >= len(markBase64) && !looksEncrypted(text[:i]) {
					t.Fatalf("cut after %d bytes: taken for a plain value", i)
				}
			}
			if refused < len(text)-4 {
				t.Fatalf("%d of %d refused", refused, len(text))
			}
		})
	}
}

// TestPlainValues are no vault texts, though some are about them.
func TestPlainValues(t *testing.T) {
	f := func(s string) {
		t.Helper()
		if looksEncrypted(s) {
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
}
