package signing

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func save(t *testing.T, dir string, key *Key) string {
	t.Helper()
	file := KeyFile(dir, key.Fingerprint())
	if err := Save(file, key); err != nil {
		t.Fatal(err)
	}
	return file
}

func private(t *testing.T, keys ...*Key) string {
	t.Helper()
	var all string
	for _, key := range keys {
		text, err := key.Private()
		if err != nil {
			t.Fatal(err)
		}
		all += string(text)
	}
	return all
}

func TestSave(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "kinectl", "keys")
	key := testKey(t, "kinectl", Ed25519)
	file := save(t, dir, key)
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("private key: %v, %v", info.Mode(), err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("directory of private keys: %v, %v", info.Mode(), err)
	}
	if err := Save(file, testKey(t, "other", Ed25519)); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a key is replaced: %v", err)
	}
}

func TestFind(t *testing.T) {
	old, next, other := testKey(t, "old", Ed25519), testKey(t, "new", Ed25519), testKey(t, "other", Ed25519)
	dir, none := t.TempDir(), t.TempDir()
	oldFile, nextFile, otherFile := save(t, dir, old), save(t, dir, next), save(t, dir, other)
	one, both := ringOf(t, old), ringOf(t, old, next)
	both64 := private(t, next, other, old)
	f := func(trusted Keyring, o Source, variable string, want string) {
		t.Helper()
		t.Setenv(Variable, variable)
		signers, err := Find(t.Context(), trusted, o)
		got := strings.Trim(fmt.Sprint(signers), "[]")
		if err != nil || got != want {
			t.Errorf("found %q, %v, want %q", got, err, want)
		}
	}
	fo, fn := old.Fingerprint(), next.Fingerprint()
	f(one, Source{Dir: dir}, "", fo)
	f(both, Source{Dir: dir}, "", fo+" "+fn)
	f(ringOf(t, next, old), Source{Dir: dir}, "", fn+" "+fo)
	f(one, Source{Dir: dir}, "damaged, and not needed", fo)
	f(one, Source{}, private(t, old), fo)
	f(both, Source{Dir: none}, both64, fo+" "+fn)
	f(both, Source{Keys: []string{nextFile, oldFile}}, "", fo+" "+fn)
	f(one, Source{Keys: []string{"env:" + Variable}}, both64, fo)
	f(both, Source{Keys: []string{oldFile, "exec:false"}}, "", fo+" "+fn)
	f(both, Source{Keys: []string{oldFile, "exec:" + strings.ToLower(fn) + ":false"}}, "", fo+" "+fn)

	refuse := func(trusted Keyring, o Source, variable string, is error, want ...string) {
		t.Helper()
		t.Setenv(Variable, variable)
		signers, err := Find(t.Context(), trusted, o)
		if err == nil || is != nil && !errors.Is(err, is) {
			t.Errorf("found %v, %v", signers, err)
			return
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%q is not said in: %v", w, err)
			}
		}
		if strings.Contains(err.Error(), "PRIVATE") {
			t.Errorf("the error tells the key: %v", err)
		}
	}
	refuse(Keyring{}, Source{Dir: dir}, "", ErrNoKey)
	refuse(both, Source{Dir: none}, "", ErrNoKey, fo+" and "+fn, none, Variable+" (which is not set)", "--key")
	refuse(both, Source{Dir: none}, private(t, old), ErrNoKey, fn+" is neither", "which holds "+fo)
	refuse(both, Source{}, "", ErrNoKey, "none is set")
	refuse(one, Source{Dir: none}, "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nAAAA", nil, "the variable "+Variable)
	refuse(both, Source{Keys: []string{oldFile}, Dir: dir}, "", ErrNoKey, fn+" is not in "+oldFile)
	refuse(one, Source{Keys: []string{otherFile}}, "", nil, otherFile+" holds key", other.Fingerprint(), "hosts trust "+fo)
	refuse(one, Source{Keys: []string{dir + "/none"}}, "", ErrNoKey, dir+"/none is not there")
	refuse(one, Source{Keys: []string{"env:NONE_OF_IT"}}, "", ErrNoKey, "NONE_OF_IT is not set")
	refuse(one, Source{Keys: []string{"env:A B"}}, "", nil, "not the name of a variable")
	refuse(one, Source{Keys: []string{""}}, "", nil, "empty")
	refuse(one, Source{Keys: []string{"exec: "}}, "", nil, "without a command")
	refuse(both, Source{Keys: []string{"exec:false", "exec:true"}}, "", nil, "exec:FINGERPRINT:COMMAND")
	refuse(one, Source{Keys: []string{"exec:" + fn + ":false"}}, "", nil, "hosts trust "+fo)

	wrong := write(t, filepath.Join(none, fo+".asc"), []byte(private(t, other)))
	refuse(one, Source{Dir: none}, "", nil, wrong, other.Fingerprint())
	if err := os.Chmod(oldFile, 0o640); err != nil {
		t.Fatal(err)
	}
	refuse(one, Source{Dir: dir}, "", nil, "mode 0640", "chmod 600 "+oldFile)
	refuse(one, Source{Keys: []string{oldFile}}, "", nil, "chmod 600 "+oldFile)
}

func TestLoad(t *testing.T) {
	key, second := testKey(t, "kinectl", Ed25519), testKey(t, "second", Ed25519)
	f := func(reference string, want int, is error) {
		t.Helper()
		signers, err := Load(t.Context(), reference)
		if len(signers) != want || !errors.Is(err, is) {
			t.Errorf("%s: %v, %v", reference, signers, err)
		}
	}
	t.Setenv("SECRET", private(t, key, second))
	f(save(t, t.TempDir(), key), 1, nil)
	f("env:SECRET", 2, nil)
	f("/none", 0, ErrNoKey)
	f("exec:true", 0, ErrNoKey)
}
