package vault

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// plains are texts of every kind that a secret may be.
func plains() map[string]string {
	return map[string]string{
		"empty":     "",
		"word":      "hunter2",
		"block":     strings.Repeat("x", blockSize), // padding of a whole block
		"unicode":   "größe 世界 \U0001F510 \u0000 é",
		"binary":    string(allBytes()),
		"newline":   "one line\n",
		"newlines":  "\n\ntwo before and three after\n\n\n",
		"crlf":      "a\r\nb\r\n",
		"large":     strings.Repeat("0123456789abcdef\n", 1<<13), // 136 KiB
		"like hex":  "6666\n6666\n6666",
		"blanks":    "  \t around \t ",
		"key value": "A=1\nB=\"two words\"\n",
	}
}

func allBytes() []byte {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	return all
}

// TestAnsible proves both directions with the real program: what it writes is read here, and what
// is written here it reads, for each kind of text, with and without a vault id.
func TestAnsible(t *testing.T) {
	program := require(t, "ansible-vault", "compatibility with it was not tested")
	all := slices.Sorted(maps.Keys(plains()))
	f := func(id, secret string, names ...string) {
		t.Run("id="+id, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			passwordFile := filepath.Join(dir, "password")
			write(t, passwordFile, secret+"\n")
			p := NewPassword(id, secret)
			args := []string{"--vault-id", id + "@" + passwordFile, "--encrypt-vault-id", id}
			if id == "" {
				args = []string{"--vault-password-file", passwordFile}
			}
			var theirs, ours []string
			for _, name := range names {
				plain := plains()[name]
				theirs = append(theirs, filepath.Join(dir, name+".theirs"))
				write(t, theirs[len(theirs)-1], plain)
				text, err := Encrypt([]byte(plain), p)
				if writes := id == "" || validID(id); writes != (err == nil) {
					t.Fatalf("written with this id: %v, %v", writes, err)
				} else if !writes {
					continue
				}
				ours = append(ours, filepath.Join(dir, name+".ours"))
				write(t, ours[len(ours)-1], string(text))
			}
			run(t, exec.Command(program, append(append([]string{"encrypt"}, args...), theirs...)...))
			if len(ours) > 0 {
				run(t, exec.Command(program, append([]string{"decrypt", args[0], args[1]}, ours...)...))
			}
			for _, file := range ours {
				plain := plains()[strings.TrimSuffix(filepath.Base(file), ".ours")]
				if got := read(t, file); got != plain {
					t.Errorf("%s: ansible-vault reads %d bytes, not the same %d", filepath.Base(file), len(got), len(plain))
				}
			}
			for _, file := range theirs {
				name := strings.TrimSuffix(filepath.Base(file), ".theirs")
				plain := plains()[name]
				text := read(t, file)
				ring := newKeyring([]Password{p})
				for form, text := range forms(text) {
					got, err := ring.open([]byte(text))
					if err != nil || string(got) != plain {
						t.Errorf("%s %s: read %d bytes of theirs, not the same %d: %v", name, form, len(got), len(plain), err)
					}
				}
				if got, err := Check([]byte(text)); got != strings.TrimSuffix(id, "default") || err != nil {
					t.Errorf("%s: vault id %q, %v", name, got, err)
				}
			}
		})
	}
	f("", "hunter2", all...)
	f("", "a longer päßword, with blanks 世 and ;'\"$\\", "empty", "unicode", "large")
	f("prod", "hunter2", "empty", "unicode", "large")
	f("default", "hunter2", "word")
	f("my prod", "hunter2", "word") // Ansible writes these two, and they are read; here they are not written
	f("größe", "hunter2", "word")
}

// TestAnsibleBytes compares byte by byte: with the same salt both write the same text.
func TestAnsibleBytes(t *testing.T) {
	program := require(t, "ansible-vault", "its bytes were not compared")
	first, _, _ := strings.Cut(read(t, program), "\n")
	python, ok := strings.CutPrefix(first, "#!") // the interpreter that has Ansible's library
	if !ok {
		t.Fatalf("%s is no script", program)
	}
	const script = `
import sys, binascii
from ansible.parsing.vault import VaultLib, VaultSecret
for line in sys.stdin:
    plain, secret, salt, vault_id = (binascii.unhexlify(f) for f in line.rstrip("\n").split(","))
    sys.stdout.write(binascii.hexlify(VaultLib().encrypt(plain, VaultSecret(secret), vault_id.decode() or None, salt)).decode() + "\n")
`
	salt := bytes.Repeat([]byte("0salt\xff\x00\n"), 4)
	var in strings.Builder
	var want []string
	for _, id := range []string{"", "prod", "default", "a.b-c_1"} {
		for name, plain := range plains() {
			if id != "" && name != "unicode" {
				continue
			}
			text, err := encryptWith([]byte(plain), NewPassword(id, "pä$$"), salt)
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, string(text))
			for i, field := range []string{plain, "pä$$", string(salt), id} {
				if i > 0 {
					in.WriteByte(',')
				}
				in.WriteString(hex.EncodeToString([]byte(field)))
			}
			in.WriteByte('\n')
		}
	}
	words := append(strings.Fields(python), "-c", script)
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Stdin = strings.NewReader(in.String())
	got := strings.Fields(run(t, cmd))
	if len(got) != len(want) {
		t.Fatalf("%d texts, not %d", len(got), len(want))
	}
	for i := range want {
		text, err := hex.DecodeString(got[i])
		if err != nil || string(text) != want[i] {
			t.Errorf("text %d differs: ansible %.60q, here %.60q, %v", i, text, want[i], err)
		}
	}
}

// forms are the ways in which one text may stand somewhere.
func forms(text string) map[string]string {
	line := base64.StdEncoding.EncodeToString([]byte(text))
	wrapped := strings.Builder{}
	for i := 0; i < len(line); i += 76 {
		wrapped.WriteString(line[i:min(i+76, len(line))] + "\n")
	}
	return map[string]string{
		"raw":                text,
		"no last newline":    strings.TrimSuffix(text, "\n"),
		"CRLF":               strings.ReplaceAll(text, "\n", "\r\n"),
		"indented":           "\n  " + strings.ReplaceAll(text, "\n", "\n  "),
		"base64":             line,
		"base64 newline":     line + "\n",
		"no padding":         strings.TrimRight(line, "="),
		"wrapped":            wrapped.String(),
		"wrapped, indented":  "\t" + strings.ReplaceAll(wrapped.String(), "\n", "\r\n\t"),
		"base64, no newline": base64.StdEncoding.EncodeToString([]byte(strings.TrimSuffix(text, "\n"))),
	}
}
