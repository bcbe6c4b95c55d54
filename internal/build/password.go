package build

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kinectl/kinectl/vault"
)

// ErrNoReader says that a program would not look for the password that is to be
// put into it.
var ErrNoReader = errors.New("the program does not use " + reader)

// reader is the package that a program reads its password with.
const reader = "github.com/kinectl/kinectl/vault"

// room is what a program has for its password file, in bytes. It is filled up
// with empty lines, which mean nothing there.
const room = 1024

// placeholder is what is compiled in the place of the password. The compiler
// keeps all that it writes in its cache, so the password itself is never given
// to it: it is written over the placeholder in the program that was linked.
func placeholder() []byte {
	const unlikely = "kinectl/password/5e0c3f1b9a7d4286b8d2c64f0e93a1577c18e2d9"
	return []byte(strings.Repeat(unlikely, room/len(unlikely)+1)[:room])
}

// CheckPassword returns an error when a text is no password file that a program
// has room for. The error has nothing of the text in it.
func CheckPassword(text []byte) error {
	if _, err := vault.ParsePasswords(text); err != nil {
		return err
	}
	if len(bytes.Trim(text, blanks)) > room {
		return fmt.Errorf("it has more than %d bytes", room)
	}
	return nil
}

// overlay writes a source file for the main package in dir into the folder
// temp, and returns the flag that makes Go see it there. The file of the main
// package's folder that it stands for must not exist.
func overlay(dir, temp string) (flag string, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	source := filepath.Join(temp, "password.go")
	body := fmt.Sprintf("package main\n\nimport %q\n\nfunc init() { vault.Embed(%q) }\n", reader, placeholder())
	if err := os.WriteFile(source, []byte(body), 0o600); err != nil {
		return "", err
	}
	list, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(dir, "kinectl_vault_password.go"): source}})
	if err != nil {
		return "", err
	}
	name := filepath.Join(temp, "overlay.json")
	return "-overlay=" + name, os.WriteFile(name, list, 0o600)
}

// reads returns [ErrNoReader] when the package in dir does not link the vault
// library, by itself or with the library for services.
func reads(ctx context.Context, dir string, env []string) error {
	cmd := exec.CommandContext(ctx, "go", "list", "-deps", ".")
	cmd.Dir, cmd.Env = dir, env
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("list the packages of %s: %w\n%s", dir, err, strings.TrimSpace(said.String()))
	}
	if !slices.Contains(strings.Fields(string(out)), reader) {
		return ErrNoReader
	}
	return nil
}

// blanks around passwords are not of them, see vault.ParsePasswords.
const blanks = " \t\r\n\v\f"

// fill writes the password file over the placeholder in a program.
func fill(program string, passwords []byte) error {
	body, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	want := placeholder()
	if n := bytes.Count(body, want); n != 1 {
		return fmt.Errorf("put the password into %s: there are %d places for it", program, n)
	}
	f, err := os.OpenFile(program, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	text := bytes.Repeat([]byte("\n"), room)
	copy(text, bytes.Trim(passwords, blanks))
	if _, err := f.WriteAt(text, int64(bytes.Index(body, want))); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
