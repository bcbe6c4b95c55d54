package vault

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// sealed is a value of the environment, encrypted with the password "new" or "old".
func sealed(t testing.TB, plain, password string) string {
	t.Helper()
	text, err := EncryptBase64([]byte(plain), NewPassword("", password))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestEnviron(t *testing.T) {
	passwords := []Password{NewPassword("", "new"), NewPassword("", "old")}
	raw, err := Encrypt([]byte("raw\n"), NewPassword("prod", "new"))
	if err != nil {
		t.Fatal(err)
	}
	f := func(name string, environ []string, want map[string]string) {
		t.Helper()
		before := slices.Clone(environ)
		got, err := Environ(environ, passwords)
		if err != nil || !maps.Equal(got, want) {
			t.Errorf("%s: %q, %v, want %q", name, got, err, want)
		}
		if !slices.Equal(before, environ) {
			t.Errorf("%s: the caller's environment is changed", name)
		}
	}
	dsn, token := sealed(t, "dsn", "new"), sealed(t, "token", "old")
	bundle := sealed(t, "A=1\nB='two words'\n", "old")
	f("nothing", nil, map[string]string{})
	f("nothing encrypted", []string{"A=1", "B=", "", "=C:=x"}, map[string]string{})
	f("one", []string{"A=1", "DSN=" + dsn}, map[string]string{"DSN": "dsn"})
	f("two passwords", []string{"DSN=" + dsn, "TOKEN=" + token}, map[string]string{"DSN": "dsn", "TOKEN": "token"})
	f("raw, and its newline stays", []string{"RAW=" + string(raw)}, map[string]string{"RAW": "raw\n"})
	f("empty", []string{"E=" + sealed(t, "", "new")}, map[string]string{"E": ""})
	f("a text twice", []string{"X=" + dsn, "Y=" + dsn}, map[string]string{"X": "dsn", "Y": "dsn"})
	f("a name twice", []string{"X=" + token, "X=" + dsn}, map[string]string{"X": "dsn"})
	f("a bundle", []string{"VAULT_BUNDLE=" + bundle, "C=3"}, map[string]string{"A": "1", "B": "two words"})
	f("two bundles", []string{"VAULT_BUNDLE=" + bundle, "VAULT_BUNDLE_DB=" + sealed(t, "C=3", "new"), "DSN=" + dsn},
		map[string]string{"A": "1", "B": "two words", "C": "3", "DSN": "dsn"})
	f("an empty bundle", []string{"VAULT_BUNDLE=", "VAULT_BUNDLE_X=" + sealed(t, "", "new")}, map[string]string{})
	f("names that are none of a bundle", []string{"VAULT_BUNDLES=A=1", "VAULT_BUNDLE_=A=1", "MY_VAULT_BUNDLE=A=1"}, map[string]string{})
	f("skipped", []string{"SKIP_DECRYPT=true", "DSN=" + dsn}, map[string]string{})
	f("a skipped bundle", []string{"SKIP_DECRYPT=1", "VAULT_BUNDLE=A=1\nB=2"}, map[string]string{"A": "1", "B": "2"})
	f("not skipped", []string{"SKIP_DECRYPT=false", "DSN=" + dsn}, map[string]string{"DSN": "dsn"})
}

// TestEnvironFaults: all of them come at once, in the order of names.
func TestEnvironFaults(t *testing.T) {
	p := NewPassword("", "new")
	f := func(name string, environ []string, passwords []Password, want string) {
		t.Helper()
		values, err := Environ(environ, passwords)
		if err == nil || err.Error() != want || values != nil {
			t.Errorf("%s: %q\n got: %v\nwant: %s", name, values, err, want)
		}
	}
	dsn := sealed(t, "dsn", "new")
	f("all at once", []string{"Z=" + dsn[:200], "B=" + sealed(t, "x", "other"), "A=" + dsn, "VAULT_BUNDLE=" + sealed(t, "A=1\nC=2", "new"), "VAULT_BUNDLE_2=" + sealed(t, "C=3", "new"), "VAULT_BUNDLE_3=" + sealed(t, "C", "new")}, []Password{p}, ""+
		"B: no password fits, or the text was changed (1 password tried)\n"+
		"Z: damaged vault text: what follows its first line is not hexadecimal\n"+
		"A: it is both in the environment and in VAULT_BUNDLE\n"+
		"C: it is both in VAULT_BUNDLE and in VAULT_BUNDLE_2\n"+
		"VAULT_BUNDLE_3: line 1: it has no =")
	f("no password", []string{"DSN=" + dsn, "CUT=" + dsn[:200], "VAULT_BUNDLE=" + dsn, "VAULT_PASSWORD_FILE=/x", "CREDENTIALS_DIRECTORY=/y"}, nil, ""+
		"CUT: damaged vault text: what follows its first line is not hexadecimal\n"+
		"DSN: it is encrypted, and there is no password\n"+
		"VAULT_BUNDLE: it is encrypted, and there is no password\n"+
		"a password is looked for in $CREDENTIALS_DIRECTORY/vault-password (the service has no such credential), the file of VAULT_PASSWORD_FILE, the program itself (it was packaged without one)")
	f("a shell expanded the beginning", []string{"DSN=;1.1;AES256\n3132"}, []Password{p}, "DSN: damaged vault text: it is neither ansible-vault's form nor its base64")
	f("and of a text with an id", []string{"DSN=;1.2;AES256;prod\n3132"}, []Password{p}, "DSN: damaged vault text: it is neither ansible-vault's form nor its base64")
	f("a plain variable and a bundle", []string{"PATH=/bin", "VAULT_BUNDLE=" + sealed(t, "PATH=/x", "new")}, []Password{p}, "PATH: it is both in the environment and in VAULT_BUNDLE")
	once := sealed(t, "x", "new")
	again, err := encryptWith([]byte(once), p, []byte("salt"))
	if err != nil {
		t.Fatal(err)
	}
	f("encrypted twice", []string{"DSN=" + string(again), "VAULT_BUNDLE=" + string(again)}, []Password{p}, "DSN: it is encrypted twice\nVAULT_BUNDLE: it is encrypted twice")
	f("base64 twice", []string{"DSN=" + base64.StdEncoding.EncodeToString([]byte(once))}, []Password{p}, "DSN: damaged vault text: it was put into base64 twice")
	f("blanks inside of the base64", []string{"DSN=" + base64.StdEncoding.EncodeToString(append([]byte("\n  "), again...))}, []Password{p}, "DSN: damaged vault text: it was put into base64 with blanks before it")
	f("without its front", []string{"DSN=" + once[101:], "RAW=" + string(again[50:])}, []Password{p}, ""+
		"DSN: damaged vault text: it is neither ansible-vault's form nor its base64\n"+
		"RAW: damaged vault text: it does not begin with $ANSIBLE_VAULT")
	f("SKIP_DECRYPT", []string{"SKIP_DECRYPT=yes"}, nil, "SKIP_DECRYPT: must be true or false")
}

// TestDecryptEnv changes the process's environment: all of it, or after an error nothing.
func TestDecryptEnv(t *testing.T) {
	file := t.TempDir() + "/password"
	write(t, file, "new\n")
	t.Setenv("VAULT_PASSWORD_FILE", file)
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	t.Setenv("VAULT_TEST_DSN", sealed(t, "dsn", "new"))
	t.Setenv("VAULT_BUNDLE_TEST", sealed(t, "VAULT_TEST_A=1", "new"))
	t.Setenv("VAULT_TEST_BAD", sealed(t, "x", "other"))
	defer os.Unsetenv("VAULT_TEST_A")

	before := os.Environ()
	err := DecryptEnv()
	if want := "decrypt the environment: VAULT_TEST_BAD: no password fits, or the text was changed (1 password tried, from the file of VAULT_PASSWORD_FILE)"; err == nil || err.Error() != want {
		t.Fatalf("%v, want %s", err, want)
	}
	if !slices.Equal(before, os.Environ()) {
		t.Fatal("the environment is changed after an error")
	}
	os.Unsetenv("VAULT_TEST_BAD")
	for range 2 { // again it finds nothing to do
		if err := DecryptEnv(); err != nil {
			t.Fatal(err)
		}
		_, bundle := os.LookupEnv("VAULT_BUNDLE_TEST")
		if os.Getenv("VAULT_TEST_DSN") != "dsn" || os.Getenv("VAULT_TEST_A") != "1" || bundle {
			t.Fatalf("dsn %q, a %q, bundle there: %v", os.Getenv("VAULT_TEST_DSN"), os.Getenv("VAULT_TEST_A"), bundle)
		}
	}
	os.Unsetenv("VAULT_PASSWORD_FILE")
	if err := DecryptEnv(); err != nil {
		t.Fatalf("nothing is encrypted, and no password needed: %v", err)
	}
}

// TestInParallel: as many calls run at the same time as Go uses CPUs, and each number comes once.
func TestInParallel(t *testing.T) {
	workers := runtime.GOMAXPROCS(0)
	f := func(n int) {
		t.Helper()
		together := min(n, workers)
		var inside atomic.Int64
		met := make(chan struct{})
		seen := make([]atomic.Int64, n)
		inParallel(n, func(i int) {
			seen[i].Add(1)
			if inside.Add(1) == int64(together) {
				close(met)
			}
			select {
			case <-met: // all workers are inside of a call
			case <-time.After(10 * time.Second):
				t.Errorf("%d of %d: only %d at the same time", n, together, inside.Load())
			}
		})
		for i := range seen {
			if seen[i].Load() != 1 {
				t.Errorf("%d was called %d times", i, seen[i].Load())
			}
		}
	}
	f(0)
	f(1)
	f(workers)
	f(3*workers + 1)
}

// TestManyVariables has more texts than there are CPUs.
func TestManyVariables(t *testing.T) {
	var environ []string
	want := map[string]string{}
	for i := range 5 {
		name, plain := fmt.Sprintf("SECRET_%d", i), strings.Repeat("x", i)
		environ = append(environ, name+"="+sealed(t, plain, "new"))
		want[name] = plain
	}
	got, err := Environ(environ, []Password{NewPassword("", "new")})
	if err != nil || !maps.Equal(got, want) {
		t.Fatalf("%d variables, %v", len(got), err)
	}
	_, err = Environ(environ, []Password{NewPassword("", "other")})
	if joined, ok := err.(interface{ Unwrap() []error }); !ok || len(joined.Unwrap()) != 5 || !errors.Is(err, ErrPassword) {
		t.Fatalf("not a fault of each variable: %v", err)
	}
}
