package secrets

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/vault"
)

// key is a password of these tests.
func key(secret string) vault.Password { return vault.NewPassword("", secret) }

// encrypted returns a text raw and in base64.
func encrypted(t testing.TB, plain string, p vault.Password) (raw, base string) {
	t.Helper()
	text, err := vault.Encrypt([]byte(plain), p)
	if err != nil {
		t.Fatal(err)
	}
	return string(text), base64.StdEncoding.EncodeToString(text)
}

// indented is a text whose lines all begin with a margin.
func indented(margin, text string) string {
	return margin + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n"+margin)
}

// wrapped is a text in lines of a width.
func wrapped(text string, width int) string {
	var lines []string
	for ; len(text) > width; text = text[width:] {
		lines = append(lines, text[:width])
	}
	return strings.Join(append(lines, text), "\n")
}

func TestFind(t *testing.T) {
	raw, base := encrypted(t, "a secret", key("old"))
	f := func(text string, want ...string) {
		t.Helper()
		var got []string
		for _, x := range Find([]byte(text)) {
			tag := ""
			if x.Tagged {
				tag = "!"
			}
			got = append(got, fmt.Sprintf("%s%s %d:%d", tag, x.Name, x.Line, x.Column))
			if plain, err := vault.Decrypt([]byte(text)[x.From:x.To], key("old")); string(plain) != "a secret" || err != nil {
				t.Errorf("%s: %q, %v in\n%s", x.Name, plain, err, text)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got %q, want %q in\n%s", got, want, text)
		}
	}
	f("")
	f("a: 1\n")
	f(raw, " 1:1")
	f(strings.ReplaceAll(raw, "\n", "\r\n"), " 1:1")
	f("\n"+raw+"\n\n", " 2:1")
	f(base, " 1:1")
	f(wrapped(base, 64)+"\n", " 1:1")
	f("vault_a: "+base+"\nvault_b: "+base+" # more\n", "vault_a 1:10", "vault_b 2:10")
	f("vault_a: \""+base+"\"\n'vault_b': '"+base+"'\n", "vault_a 1:11", "vault_b 2:13")
	f("größe: x\nfilms: {dsn: "+base+", port: 1}\n", "dsn 2:14")
	f("list:\n  - "+base+"\n  - name: "+base+"\n", " 2:5", "name 3:11")
	f("vault_a: !vault |\n"+indented("  ", raw)+"\nvault_b: "+base+"\n", "!vault_a 2:3", "vault_b 8:10")
	f("vault_a: |\n"+indented("    ", raw)+"\n", "vault_a 2:5")
	f("vault_a: >-\n"+indented("  ", wrapped(base, 80))+"\nx: 1\n", "vault_a 2:3")
	f("vault_a:\n  "+base+"\n", "vault_a 2:3")
	f("vault_a: "+strings.Replace(wrapped(base, 200), "\n", "\n  ", -1)+"\nAB=\n", "vault_a 1:10")
	f("A="+base+"\nEMPTY=\nB='"+base+"'\n", "A 1:3", "B 3:4")
	f("{\"vault_a\": \""+base+"\"}\n", "vault_a 1:14")
	// Words about them.
	f("A text begins with $ANSIBLE_VAULT;1.1;AES256\nor JEFOU0lCTEVfVkFVTFQ7, in base64.\n")
	f("x: \"[$]ANSIBLE_VAULT;|JEFOU0lCTEVfVkFVTFQ7\"\n$ANSIBLE_VAULT;1.1;AES256\n\nno digits\n")
	f("AAAA" + base + "\n")
	// What nobody can read is found all the same.
	if all := Find([]byte(`vault_a: "$ANSIBLE_VAULT;1.1;AES256\n61626364\n6162"`)); len(all) != 1 || all[0].Name != "vault_a" {
		t.Errorf("a text in quotes: %+v", all)
	}
}

// TestPut changes a text and nothing around its characters.
func TestPut(t *testing.T) {
	raw, base := encrypted(t, "a secret", key("old"))
	f := func(place, blank string, p vault.Password) {
		t.Helper()
		got, err := put([]byte(place), func(raw bool) ([]byte, error) {
			text, base := encrypted(t, "a secret", p)
			if raw {
				return []byte(text), nil
			}
			return []byte(base), nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if plain, err := vault.Decrypt(got, p); string(plain) != "a secret" || err != nil {
			t.Errorf("%q, %v in\n%s", plain, err, got)
		}
		if string(got) == place || p.ID() == "" && len(got) != len(place) {
			t.Errorf("got\n%s\nin the place of\n%s", got, place)
		}
		if p.ID() == "" && strings.Count(string(got), blank) != strings.Count(place, blank) {
			t.Errorf("other blanks: got\n%s\nin the place of\n%s", got, place)
		}
	}
	for _, p := range []vault.Password{key("new"), vault.NewPassword("films", "new")} {
		f(strings.TrimSpace(raw), "\n", p)
		f(strings.TrimSpace(indented("    ", raw)), "\n    ", p)
		f(strings.TrimSpace(strings.ReplaceAll(raw, "\n", "\r\n")), "\r\n", p)
		f(base, " ", p)
		f(strings.TrimSpace(indented("  ", wrapped(base, 64))), "\n  ", p)
	}
}

func FuzzFind(f *testing.F) {
	raw, base := encrypted(f, "a secret", key("old"))
	f.Add("vault_a: !vault |\n" + indented("  ", raw) + "\nb: " + base)
	f.Add("x: " + markBase64 + "\n" + mark + "1.1;AES256\n61\n")
	f.Add(`"$ANSIBLE_VAULT;1.1;AES256\n6162"`)
	f.Fuzz(func(t *testing.T, text string) {
		end, lines := 0, strings.Split(text, "\n")
		for _, x := range Find([]byte(text)) {
			if x.From < end || x.To <= x.From || x.To > len(text) || x.Line < 1 || x.Line > len(lines) {
				t.Fatalf("%+v after %d of %d bytes", x, end, len(text))
			}
			if body := text[x.From:x.To]; !strings.HasPrefix(body, mark) && !strings.HasPrefix(body, markBase64) || strings.TrimSpace(body) != body {
				t.Fatalf("%+v is %q", x, body)
			}
			end = x.To
		}
	})
}
