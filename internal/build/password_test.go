package build

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/vault"
)

// reading is a program that decrypts its environment, and one that does not.
func reading(t *testing.T) string {
	t.Helper()
	library, err := filepath.Abs("../../vault")
	if err != nil {
		t.Fatal(err)
	}
	return tree(t, map[string]string{
		"go.mod":        "module films\n\ngo 1.26\n\nrequire github.com/kinectl/kinectl/vault v0.0.0\n\nreplace github.com/kinectl/kinectl/vault => " + library + "\n",
		"films/main.go": "package main\n\nimport (\n\t\"os\"\n\n\t\"github.com/kinectl/kinectl/vault\"\n)\n\nfunc main() {\n\tif err := vault.DecryptEnv(); err != nil {\n\t\tprintln(err.Error())\n\t\tos.Exit(1)\n\t}\n\tprint(os.Getenv(\"DSN\"))\n}\n",
		"other/main.go": "package main\n\nfunc main() {}\n",
	})
}

// TestPassword puts a password into a program, which can read its secrets then,
// and looks for it where it must not be.
func TestPassword(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil || runtime.GOOS != "linux" {
		t.Skip("go is not installed, or this is not Linux: nothing was built")
	}
	dir, start := reading(t), time.Now().Add(-time.Second)
	t.Setenv("TMPDIR", t.TempDir())
	p := plan.Plan{Name: "films", BuildTime: time.Unix(1700000000, 0).UTC(), Program: plan.Program{Main: "films"}}
	// Words that no earlier run, and not this test's own code, has put into the cache.
	password, old := "planted"+rand.Text(), "planted"+rand.Text()
	source := filepath.Join(dir, "films/main.go")
	text, err := os.ReadFile(source)
	if err == nil {
		err = os.WriteFile(source, fmt.Append(text, "// ", password[:12], "\n"), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	made := func(passwords string) []byte {
		t.Helper()
		program, cleanup, err := Program(t.Context(), p, Options{Dir: dir, Arch: runtime.GOARCH, Passwords: []byte(passwords)})
		if err != nil {
			t.Fatal(err)
		}
		defer cleanup()
		for _, secret := range []string{password, old} {
			text, err := vault.EncryptBase64([]byte("postgres://films"), vault.NewPassword("", secret))
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(program)
			cmd.Env = []string{"DSN=" + text}
			out, err := cmd.CombinedOutput()
			if fits := strings.Contains(passwords, secret); fits != (string(out) == "postgres://films" && err == nil) {
				t.Errorf("with %q a text of %s gives %s, %v", passwords, secret, out, err)
			}
		}
		if info, err := exec.Command("go", "version", "-m", program).CombinedOutput(); err != nil || bytes.Contains(info, []byte("planted")) || bytes.Contains(info, []byte("overlay")) {
			t.Errorf("go version -m says %s, %v", info, err)
		}
		body, err := os.ReadFile(program)
		if err != nil || bytes.Count(body, []byte(password)) != 1 || bytes.Contains(body, placeholder()[:80]) || bytes.Contains(body, []byte(dir)) {
			t.Errorf("the program holds what it should not, or not what it should: %v", err)
		}
		return body
	}
	one := made(password + "\n")
	if again := made(password + "\n"); !bytes.Equal(one, again) {
		t.Error("the same source and password give other bytes")
	}
	if made("\n" + password + "\n" + old); exists(filepath.Join(dir, "films/kinectl_vault_password.go")) {
		t.Error("the generated file was left in the source")
	}

	// The compiler's cache has what was generated, and not the password.
	out, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	_ = filepath.WalkDir(strings.TrimSpace(string(out)), func(path string, d fs.DirEntry, err error) error {
		if info, e := os.Stat(path); err != nil || e != nil || info.IsDir() || info.ModTime().Before(start) {
			return nil
		}
		body, _ := os.ReadFile(path)
		for _, word := range []string{password, old, string(placeholder()[:80])} {
			found[word] = found[word] || bytes.Contains(body, []byte(word))
		}
		return nil
	})
	if found[password] || found[old] {
		t.Error("the password is in the build cache")
	}
	if !found[string(placeholder()[:80])] {
		t.Error("the generated file is not in the build cache either: it was not looked through")
	}
	if left, _ := os.ReadDir(os.TempDir()); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// TestPasswordRefused says for what there is no password.
func TestPasswordRefused(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("go is not installed: nothing was built")
	}
	p := plan.Plan{Name: "films", Program: plan.Program{Main: "other"}}
	_, _, err := Program(t.Context(), p, Options{Dir: reading(t), Arch: "amd64", Passwords: []byte("planted")})
	if !errors.Is(err, ErrNoReader) || strings.Contains(err.Error(), "planted") {
		t.Errorf("a program without the library: %v", err)
	}
	f := func(text, want string) {
		t.Helper()
		got := "<nil>"
		if err := CheckPassword([]byte(text)); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("CheckPassword(%d bytes) = %s, want %s", len(text), got, want)
		}
	}
	f("word\n", "<nil>")
	f(strings.Repeat("a", room)+"\n\n", "<nil>")
	f(strings.Repeat("a", room+1), "it has more than 1024 bytes")
	f(" \n", "there is no password in it")
	program := filepath.Join(t.TempDir(), "films")
	if err := os.WriteFile(program, bytes.Repeat(placeholder(), 2), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := fill(program, []byte("planted")); err == nil || strings.Contains(err.Error(), "planted") {
		t.Errorf("two places for the password: %v", err)
	}
}
