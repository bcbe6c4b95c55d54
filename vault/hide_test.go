package vault

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The two that must not be seen.
const hiddenPassword, hiddenValue = "hunter2-PASSWORD", "postgres://films:hiddenVALUE@db/films"

// shown tells whether a text has one of the hidden ones in it, in some form.
func shown(text string) bool {
	for _, s := range []string{hiddenPassword, "hiddenVALUE"} {
		list := strings.Trim(fmt.Sprint([]byte(s)), "[]") // as fmt prints bytes
		for _, form := range []string{s, hex.EncodeToString([]byte(s)), strings.ToUpper(hex.EncodeToString([]byte(s))), base64.RawStdEncoding.EncodeToString([]byte(s))[:12], list, fmt.Sprintf("% x", s), fmt.Sprintf("%#v", []byte(s))} {
			if strings.Contains(text, form) {
				return true
			}
		}
	}
	return false
}

// printed is what every verb of fmt, slog and JSON make of something.
func printed(x any) string {
	var b bytes.Buffer
	for _, verb := range "vsqxXdtbcoOUeEfFgGpT" {
		for _, flag := range []string{"", "+", "#", " ", "-", "0", "5.3"} {
			fmt.Fprintf(&b, "%"+flag+string(verb)+"\n", x)
		}
	}
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "x", x)
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "x", x)
	if out, err := json.Marshal(x); err == nil {
		b.Write(out)
	}
	return b.String()
}

// TestPrinted prints passwords, alone and inside of other types, exported or not.
func TestPrinted(t *testing.T) {
	type naked struct{ id, secret string }
	if !shown(printed(naked{"", hiddenPassword})) || !shown(printed([]byte(hiddenPassword))) {
		t.Fatal("the control does not show: this test proves nothing")
	}
	p := NewPassword("prod", hiddenPassword)
	type exported struct{ P Password }
	type unexported struct {
		p    Password
		all  []Password
		byID map[string]Password
		at   *Password
	}
	// A ring that has derived keys: for both passwords, since the first does not fit.
	ring := newKeyring([]Password{NewPassword("", hiddenPassword+" "), p})
	text, err := encryptWith([]byte(hiddenValue), p.WithID(""), []byte("salt"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ring.open(text); err != nil || len(ring.keys) != 2 {
		t.Fatalf("%d keys were derived, %v", len(ring.keys), err)
	}
	for _, x := range []any{
		p, &p,
		[]Password{p},
		map[string]Password{"a": p},
		map[Password]int{p: 1},
		exported{p},
		&exported{p},
		unexported{p, []Password{p}, map[string]Password{"a": p}, &p},
		&unexported{p: p}, any(p),
		[1]any{p},
		ring,
		source{name: "x", read: func() ([]byte, error) { return nil, nil }},
	} {
		if text := printed(x); shown(text) {
			t.Errorf("%T shows: %s", x, text)
		}
	}
	if got := fmt.Sprintf("%v %s %#v %d", p, p, p, p); got != strings.TrimSpace(strings.Repeat("(password) ", 4)) {
		t.Error(got)
	}
	if (Password{}).reveal() != "" || p.reveal() != hiddenPassword {
		t.Error("a password reveals something else")
	}
}

// TestErrors provokes every error of the package with hidden values around.
func TestErrors(t *testing.T) {
	p := NewPassword("", hiddenPassword)
	text, err := EncryptBase64([]byte(hiddenValue), p)
	if err != nil {
		t.Fatal(err)
	}
	nul, err := EncryptBase64([]byte(hiddenValue+"\x00"), p)
	if err != nil {
		t.Fatal(err)
	}
	// Encrypt refuses to make this one.
	inner, err := encryptWith([]byte(text), p, []byte("salt"))
	if err != nil {
		t.Fatal(err)
	}
	twice := base64.StdEncoding.EncodeToString(inner)
	wrong := []Password{NewPassword("", hiddenPassword+" ")}
	var all []error
	f := func(want string, err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q: %v", want, err)
			return
		}
		all = append(all, err)
	}
	environ := func(passwords []Password, environ ...string) error {
		values, err := Environ(environ, passwords)
		if err != nil && values != nil {
			t.Errorf("values beside an error")
		}
		return err
	}
	decrypt := func(text string, passwords ...Password) error {
		_, err := Decrypt([]byte(text), passwords...)
		return err
	}
	encrypt := func(plain string, p Password) error {
		_, err := Encrypt([]byte(plain), p)
		return err
	}
	bundle := func(text string) error {
		_, err := ParseBundle([]byte(text))
		return err
	}
	passwords := func(environ ...string) error {
		_, err := PasswordsOf(environ)
		return err
	}
	f("no password fits, or the text was changed (1 password tried)", decrypt(text, wrong...))
	f("(0 passwords tried)", decrypt(text))
	f("damaged", decrypt(hiddenValue, p))
	f("damaged", decrypt(mark+";"+hiddenValue, p))
	f("damaged", decrypt(mark+";1.1;AES256\n"+hiddenValue, p))
	f("encrypted already", encrypt(text, p))
	f("password is empty", encrypt(hiddenValue, NewPassword("", "")))
	f("vault id", encrypt(hiddenValue, NewPassword("a b", hiddenPassword)))
	f("DSN: no password fits", environ(wrong, "DSN="+text))
	f("DSN: damaged", environ(wrong, "DSN="+text[:len(text)-9]))
	f("DSN: its value has a NUL", environ([]Password{p}, "DSN="+nul))
	f("looked for in $CREDENTIALS_DIRECTORY/vault-password", environ(nil, "DSN="+text))
	f("VAULT_BUNDLE: a bundle must be a vault text", environ([]Password{p}, "VAULT_BUNDLE=A="+hiddenValue))
	f("VAULT_BUNDLE: line 1: it has no =", environ([]Password{p}, "VAULT_BUNDLE="+text))
	f("VAULT_BUNDLE: a bundle must be plain", environ([]Password{p}, "VAULT_BUNDLE="+text, "SKIP_DECRYPT=true"))
	f("SKIP_DECRYPT: must be true or false", environ([]Password{p}, "SKIP_DECRYPT="+hiddenValue))
	f("A: it is both in the environment and in VAULT_BUNDLE", environ(nil, "VAULT_BUNDLE=A="+hiddenValue, "A="+hiddenValue, "SKIP_DECRYPT=1"))
	for _, line := range []string{hiddenValue, "A " + hiddenValue + "=", "=" + hiddenValue, "A='" + hiddenValue, "A='x' " + hiddenValue, "A=1\nA=" + hiddenValue, "A=" + hiddenValue + "\x00", "A=" + hiddenValue + `\`, "A=" + text} {
		f("", bundle(line))
	}
	f("DSN: it is encrypted twice", environ([]Password{p}, "DSN="+twice))
	f("no such file", passwords("VAULT_PASSWORD_FILE="+hiddenPassword))
	f("no such file", passwords("VAULT_PASSWORD_FILE=/"+hiddenPassword))
	f("no such file", passwords("VAULT_PASSWORD_FILE=/"+hiddenPassword+"/"+hiddenPassword))
	f("name too long", passwords("VAULT_PASSWORD_FILE="+strings.Repeat(hiddenPassword, 30)))
	f("no such file", passwords("VAULT_PASSWORD_FILE="+filepath.Join(t.TempDir(), "missing")))
	f("SKIP_DECRYPT", passwords("SKIP_DECRYPT="+hiddenPassword))
	empty := filepath.Join(t.TempDir(), "empty")
	write(t, empty, " \n\r\n")
	f("read the vault passwords of the file of VAULT_PASSWORD_FILE: there is no password in it", passwords("VAULT_PASSWORD_FILE="+empty))

	for _, err := range all {
		for e := err; e != nil; e = errors.Unwrap(e) {
			if text := printed(e); shown(text) {
				t.Errorf("%v shows a value or a password: %s", err, text)
			}
		}
	}
	var one *VariableError
	if err := environ(wrong, "DSN="+text); !errors.As(err, &one) || one.Name != "DSN" || !errors.Is(one, ErrPassword) {
		t.Errorf("%v is no error of a variable", err)
	}
	const name = "VAULT_TEST_HIDDEN" // in the process's environment too, encrypted
	t.Setenv(name, text)
	before := os.Environ()
	values, err := Environ(os.Environ(), []Password{p})
	if err != nil || values[name] != hiddenValue || !slices.Equal(before, os.Environ()) {
		t.Errorf("%d values, %v; Environ changed the environment: %v", len(values), err, !slices.Equal(before, os.Environ()))
	}
}
