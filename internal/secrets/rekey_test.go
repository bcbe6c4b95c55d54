package secrets

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/kinectl/kinectl/vault"
)

// written is a new tree of files.
func written(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// infra has every kind of vault text, and what must stay as it is.
func infra(t testing.TB) (dir string, before map[string]string) {
	raw, base := encrypted(t, "a secret", key("old"))
	labelled, _ := encrypted(t, "another", vault.NewPassword("films", "old"))
	before = map[string]string{
		"group_vars/all.yml":       "---\n# größe   of it\nvault_a:   " + base + "   # why\nport: 8080\n\n\nvault_b: !vault |\n" + indented("        ", raw) + "\nz: |\n  text\n",
		"group_vars/whole.yml":     raw,
		"host_vars/h1.yml":         "vault_c: |\n" + indented("  ", labelled) + "\r\n",
		"hosts.ini":                "[applications]\nh1 vault_d=" + base + "\n",
		"playbook.yml":             "- hosts: all\n",
		"docs/about.md":            "It begins with $ANSIBLE_VAULT;1.1;AES256.\n",
		".git/objects/text":        raw,
		"roles/x/files/binary.bin": "\x00" + base,
	}
	dir = written(t, before)
	return dir, before
}

// three is a tree of three secrets in two folders.
func three(t testing.TB) (dir string, before map[string]string) {
	_, base := encrypted(t, "a secret", key("old"))
	before = map[string]string{
		"group_vars/a.yml": "vault_a: " + base + "\n",
		"group_vars/b.yml": "vault_b: " + base + "\n",
		"hosts.ini":        "h1 vault_c=" + base + "\n",
	}
	return written(t, before), before
}

// fits counts the texts of the tree that are as they were, and those that have
// the new password.
func fits(t testing.TB, dir string, before map[string]string) (old, new int) {
	t.Helper()
	files, err := Tree(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		for _, x := range Find(f.Body) {
			place := f.Body[x.From:x.To]
			if strings.Contains(before[f.Path], string(place)) {
				old++
			} else if _, err := vault.Decrypt(place, key("new")); err == nil {
				new++
			} else {
				t.Errorf("%s:%d: %v", f.Path, x.Line, err)
			}
		}
	}
	return old, new
}

func toNew() Passwords { return Passwords{Old: []vault.Password{key("old")}, New: key("new")} }

// TestRekey gives a tree another password and compares all that is around the texts.
func TestRekey(t *testing.T) {
	dir, before := infra(t)
	report, err := Rekey(dir, toNew())
	if want := (Report{Files: 4, Texts: 5}); report != want || err != nil {
		t.Errorf("%+v, %v; want %+v", report, err, want)
	}
	if old, new := fits(t, dir, before); old != 0 || new != 5 {
		t.Errorf("%d texts have the old password, %d the new one", old, new)
	}
	blank := func(text string) string { // without what a text may hold
		for _, x := range Find([]byte(text)) {
			for i := x.From; i < x.To; i++ {
				if !strings.ContainsRune(" \t\r\n", rune(text[i])) {
					text = text[:i] + "#" + text[i+1:]
				}
			}
		}
		return text
	}
	for name, old := range before {
		body, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info, _ := os.Stat(filepath.Join(dir, name)); info.Mode().Perm() != 0o640 {
			t.Errorf("%s has mode %o", name, info.Mode())
		}
		changed := len(Find([]byte(old))) > 0 && !strings.HasPrefix(name, ".git/") && !strings.HasSuffix(name, ".bin")
		if (string(body) != old) != changed || blank(string(body)) != blank(old) {
			t.Errorf("%s: got\n%s\nfrom\n%s", name, body, old)
		}
	}
	if id, _ := vault.Check([]byte(strings.TrimPrefix(read(t, dir, "host_vars/h1.yml"), "vault_c: |\n"))); id != "films" {
		t.Errorf("the vault id is %q", id)
	}
	if report, err := Rekey(dir, toNew()); err != nil || report != (Report{Already: 5}) {
		t.Errorf("again: %+v, %v", report, err)
	}
	nothingLeft(t, dir)
}

func read(t testing.TB, dir, name string) string {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func nothingLeft(t testing.TB, dir string) {
	t.Helper()
	_ = filepath.WalkDir(dir, func(name string, _ os.DirEntry, _ error) error {
		if strings.Contains(name, "kinectl-rekey") {
			t.Errorf("left behind: %s", name)
		}
		return nil
	})
}

// TestRekeyAllOrNothing changes nothing when one text cannot be read.
func TestRekeyAllOrNothing(t *testing.T) {
	_, others := encrypted(t, "a planted secret", key("of another service"))
	f := func(extra, want string, is error) {
		t.Helper()
		dir, before := infra(t)
		if err := os.WriteFile(filepath.Join(dir, "other.yml"), []byte("x: 1\nvault_other: "+extra+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Rekey(dir, toNew())
		if err == nil || !errors.Is(err, is) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "planted") {
			t.Errorf("error %v, want %s", err, want)
		}
		for name, text := range before {
			if read(t, dir, name) != text {
				t.Errorf("%s was changed", name)
			}
		}
		nothingLeft(t, dir)
	}
	f(others, "other.yml:2: vault_other: decrypt: ", vault.ErrPassword)
	f(others[:len(others)-8], "other.yml:2: vault_other: ", vault.ErrDamaged)
	f(`"$ANSIBLE_VAULT;1.1;AES256\n61626364\n6162"`, "other.yml:2: vault_other: ", vault.ErrDamaged)

	dir := written(t, map[string]string{"a.yml": "vault_other: " + others + "\n"})
	p := toNew()
	p.LeaveOthers = true
	if report, err := Rekey(dir, p); err != nil || report != (Report{Others: 1}) {
		t.Errorf("texts of others: %+v, %v", report, err)
	}
	if _, err := Rekey(filepath.Join(dir, "a.yml"), p); err == nil {
		t.Error("a file is taken for a tree")
	}
}

// TestRekeyKilled kills a rekey before each thing that it does to a disk. The
// tree has the one password or the other, the journal tells when it may have both, and the
// next rekey, or Finish, leaves it whole.
func TestRekeyKilled(t *testing.T) {
	if dir := os.Getenv("KINECTL_TEST_REKEY"); dir != "" {
		steps, _ := strconv.Atoi(os.Getenv("KINECTL_TEST_STEPS"))
		r := rekey{before: func() {
			if steps--; steps < 0 {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {}
			}
		}}
		if _, err := r.run(dir, toNew()); err != nil {
			t.Fatal(err)
		}
		return
	}
	torn := 0
	for steps := 0; ; steps++ {
		dir, before := three(t)
		part := filepath.Join(dir, "group_vars") // the journal is that of all of it
		cmd := exec.Command(os.Args[0], "-test.run=^TestRekeyKilled$")
		cmd.Env = append(os.Environ(), "KINECTL_TEST_REKEY="+dir, "KINECTL_TEST_STEPS="+strconv.Itoa(steps))
		out, err := cmd.CombinedOutput()
		old, new := fits(t, dir, before)
		if err == nil {
			if steps < 8 || torn < 2 || old != 0 {
				t.Errorf("after %d kills, %d of them between two files, it ends with %d old texts", steps, torn, old)
			}
			break
		}
		if !strings.Contains(err.Error(), "killed") {
			t.Fatalf("%v: %s", err, out)
		}
		begun := Unfinished(part) != ""
		if old > 0 && new > 0 {
			torn++
		}
		if !begun && old > 0 && new > 0 {
			t.Errorf("killed at step %d: %d old and %d new texts, and nobody tells", steps, old, new)
		}
		if steps%2 == 0 {
			if _, err := Finish(part); err != nil {
				t.Errorf("finish after step %d: %v", steps, err)
			}
			if old, new := fits(t, dir, before); old > 0 && new > 0 || begun && old > 0 {
				t.Errorf("finish after step %d: %d old and %d new texts", steps, old, new)
			}
		}
		if _, err := Rekey(dir, toNew()); err != nil {
			t.Errorf("again after step %d: %v", steps, err)
		}
		if old, _ := fits(t, dir, before); old != 0 {
			t.Errorf("again after step %d: %d old texts", steps, old)
		}
		nothingLeft(t, dir)
	}
}

// TestFinishKeepsChanges does not write over what a person has changed since.
func TestFinishKeepsChanges(t *testing.T) {
	dir, before := three(t)
	cmd := exec.Command(os.Args[0], "-test.run=^TestRekeyKilled$")
	cmd.Env = append(os.Environ(), "KINECTL_TEST_REKEY="+dir, "KINECTL_TEST_STEPS=4") // the journal is there, no file was renamed
	if err := cmd.Run(); err == nil || Unfinished(dir) == "" {
		t.Fatalf("%v: the journal is %q", err, Unfinished(dir))
	}
	name := filepath.Join(dir, "hosts.ini")
	if err := os.WriteFile(name, []byte("[applications]\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := Finish(dir); err == nil || !strings.Contains(err.Error(), "hosts.ini has changed meanwhile; its new text is hosts.ini.kinectl-rekey") {
		t.Errorf("%v", err)
	}
	if old, new := fits(t, dir, before); old != 2 || new != 0 || read(t, dir, "hosts.ini") != "[applications]\n" {
		t.Errorf("%d old and %d new texts", old, new)
	}
}

// TestRekeyForAnsible lets the real program read what was written.
func TestRekeyForAnsible(t *testing.T) {
	for _, program := range []string{"ansible", "ansible-vault"} {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("KINECTL_E2E") == "required" {
				t.Fatalf("%s is not installed", program)
			}
			t.Skipf("%s is not installed: what rekey writes was not given to it", program)
		}
	}
	dir, _ := infra(t)
	if _, err := Rekey(dir, toNew()); err != nil {
		t.Fatal(err)
	}
	pw := filepath.Join(t.TempDir(), "pw")
	if err := os.WriteFile(pw, []byte("new\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := func(want string, args ...string) {
		t.Helper()
		cmd := exec.Command(args[0], append(args[1:], "--vault-password-file", pw)...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "ANSIBLE_HOME="+t.TempDir(), "ANSIBLE_NOCOLOR=1")
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: %v: %s", args, err, out)
		}
	}
	f("a secret", "ansible-vault", "view", "group_vars/whole.yml")
	if err := os.Remove(filepath.Join(dir, "group_vars/whole.yml")); err != nil { // no YAML of variables
		t.Fatal(err)
	}
	f(`"vault_b": "a secret"`, "ansible", "-i", "hosts.ini", "-c", "local", "h1", "-m", "debug", "-a", "var=vault_b")
}
