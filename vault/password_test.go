package vault

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
)

func reveal(all []Password) []string {
	var out []string
	for _, p := range all {
		out = append(out, p.reveal())
	}
	return out
}

func TestParsePasswords(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		got, err := ParsePasswords([]byte(text))
		if !slices.Equal(reveal(got), want) || (err == nil) != (want != nil) {
			t.Errorf("%q: %q, %v, want %q", text, reveal(got), err, want)
		}
	}
	f("secret", "secret")
	f("secret\n", "secret")
	f("  se cret\t\r\n", "se cret")
	f("new\nold\n", "new", "old")
	f("\n\nnew\r\n\r\nold", "new", "old")
	f("same\nsame\n", "same")
	f("# is part of it", "# is part of it")
	f("größe\u00a0\n", "größe\u00a0") // as ansible-vault, which knows blanks of ASCII only
	f("one\n#!two", "one", "#!two")
	f("1\n2\n3\n4\n5\n6\n7\n8\n1\n8\n", "1", "2", "3", "4", "5", "6", "7", "8")
	f(strings.Repeat("x", MaxPasswordFile), strings.Repeat("x", MaxPasswordFile))
}

func TestParsePasswordsFaults(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		got, err := ParsePasswords([]byte(text))
		if err == nil || err.Error() != want || got != nil {
			t.Errorf("%.40q: %d passwords, %v, want %q", text, len(got), err, want)
		}
	}
	const none, script, encrypted = "there is no password in it", "it is a script, and scripts are not run: give a file with what it prints", "it is itself encrypted: decrypt it first"
	f("", none)
	f(" \n\t\n", none)
	f("#!/bin/sh\npass show films\n", script)
	f("\n #!/bin/sh", script)
	text, err := encryptWith([]byte("hunter2\n"), NewPassword("", "secret"), []byte("salt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range forms(string(text)) {
		f(form, encrypted)
		f("\n\n"+form, encrypted)
	}
	f("new\n"+forms(string(text))["base64"], encrypted)
	f("new\n"+string(text), encrypted)
	_, body, _ := strings.Cut(string(text), "\n")
	f(body, encrypted)
	f("1\n2\n3\n4\n5\n6\n7\n8\n9", "it has more than 8 passwords")
	f(strings.Repeat("1\n", MaxPasswordFile/2)+"\n", "it has more than 64 KiB")
}

// TestPasswordOrder proves which password is tried, by the keys that were derived.
func TestPasswordOrder(t *testing.T) {
	sealed := func(p Password, salt string) []byte {
		text, err := encryptWith([]byte(value), p, []byte(salt))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	a, b, c := NewPassword("", "a"), NewPassword("prod", "b"), NewPassword("test", "c")
	f := func(name string, derivations int, texts ...[]byte) {
		t.Helper()
		ring := newKeyring([]Password{a, b, c})
		for _, text := range texts {
			if plain, err := ring.open(text); err != nil || string(plain) != value {
				t.Errorf("%s: %q, %v", name, plain, err)
			}
		}
		if len(ring.keys) != derivations {
			t.Errorf("%s: %d derivations, want %d", name, len(ring.keys), derivations)
		}
	}
	f("the first", 1, sealed(a, "1"))
	f("by its id", 1, sealed(c, "1"))
	f("the last without an id", 3, sealed(c.WithID(""), "1"))
	f("an unknown id", 2, sealed(b.WithID("else"), "1"))
	f("a wrong id", 2, sealed(a.WithID("test"), "1"))
	f("the same salt", 1, sealed(a, "1"), sealed(a, "1"))
	f("the one that fitted last", 3+1+1, sealed(c.WithID(""), "1"), sealed(c.WithID(""), "2"), sealed(c.WithID(""), "3"))
	f("one secret with two ids", 1, sealed(NewPassword("x", "a"), "1"))

	if got := reveal(newKeyring([]Password{a, b, a, a.WithID("x")}).passwords); !slices.Equal(got, []string{"a", "b", "a"}) {
		t.Errorf("%q: one password more than once", got)
	}
	if _, err := newKeyring([]Password{a, a.WithID("y")}).open(sealed(b, "1")); !errors.Is(err, ErrPassword) {
		t.Error(err)
	}
}

// TestSalts: no two texts have the same salt, also when they are made at the same time.
func TestSalts(t *testing.T) {
	const salts, texts = 10_000, 8
	var mu sync.Mutex
	seen := map[string]bool{}
	inParallel(salts+texts, func(i int) {
		salt := newSalt()
		if i >= salts {
			text, err := Encrypt([]byte(value), NewPassword("", "secret"))
			e, wrong := parse(text)
			if err = errors.Join(err, wrong); err != nil || len(e.salt) != saltSize {
				t.Errorf("%d bytes of salt, %v", len(e.salt), err)
			}
			salt = e.salt
		}
		mu.Lock()
		defer mu.Unlock()
		seen[string(salt)] = true
	})
	if len(seen) != salts+texts {
		t.Errorf("%d salts, not %d", len(seen), salts+texts)
	}
}

func TestPasswordAccessors(t *testing.T) {
	p := NewPassword("prod", "secret")
	if got := fmt.Sprintf("%s %s %q %s", p.ID(), p.WithID("test").ID(), p.From(), p); got != `prod test "" (password)` {
		t.Error(got)
	}
}
