package facts

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// repository makes a git repository with one commit of 2024-05-06.
func repository(t *testing.T) (specFile string, run func(args ...string)) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed: nothing was read from it")
	}
	dir := t.TempDir()
	run = func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@localhost"}, args...)...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_COMMITTER_DATE=2024-05-06T07:08:09Z", "GIT_AUTHOR_DATE=2024-05-06T07:08:09Z")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v: %s", args, err, out)
		}
	}
	specFile = filepath.Join(dir, "spec.yml")
	write(t, specFile, "a")
	run("init", "-q")
	run("add", ".")
	run("commit", "-qm", "one")
	return specFile, run
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestDescribe(t *testing.T) {
	file, run := repository(t)
	f := func(prefix, suffix string) {
		t.Helper()
		got, err := Describe(file)
		if err != nil || !strings.HasPrefix(got, prefix) || !strings.HasSuffix(got, suffix) {
			t.Errorf("Describe is %q, %v; want %s…%s", got, err, prefix, suffix)
		}
	}
	f("v0.0.0-1-g", "")
	write(t, file, "b")
	f("v0.0.0-1-g", "-dirty")
	run("tag", "v1.2.3")
	run("tag", "unrelated")
	f("v1.2.3-dirty", "")
	run("commit", "-qam", "two")
	f("v1.2.3-1-g", "")
	if _, err := Describe(filepath.Join(t.TempDir(), "spec.yml")); !errors.Is(err, ErrNoGit) {
		t.Errorf("outside of git: %v", err)
	}
}

func TestOf(t *testing.T) {
	file, _ := repository(t)
	f := func(file, epoch string, want time.Time, revision int) {
		t.Helper()
		t.Setenv("SOURCE_DATE_EPOCH", epoch)
		got, err := Of(file)
		if err != nil || !got.BuildTime.Equal(want) || len(got.Revision) != revision {
			t.Errorf("Of is %+v, %v; want %s", got, err, want)
		}
	}
	outside := filepath.Join(t.TempDir(), "spec.yml")
	f(file, "", time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC), 40)
	f(file, "1700000000", time.Unix(1700000000, 0), 40)
	f(outside, "", time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC), 0)
	f(outside, "1700000000", time.Unix(1700000000, 0), 0)
	t.Setenv("SOURCE_DATE_EPOCH", "soon")
	if _, err := Of(file); err == nil {
		t.Error("a bad SOURCE_DATE_EPOCH was taken")
	}
}

func TestBinary(t *testing.T) {
	dir := t.TempDir()
	f := func(path, arch string, ok bool) {
		t.Helper()
		if got, err := Binary(path); got != arch || (err == nil) != ok {
			t.Errorf("Binary(%s) is %q, %v", path, got, err)
		}
	}
	write(t, filepath.Join(dir, "script"), "#!/bin/sh\n")
	write(t, filepath.Join(dir, "text"), "hello, world")
	write(t, filepath.Join(dir, "empty"), "")
	f(filepath.Join(dir, "script"), "", true)
	f(filepath.Join(dir, "text"), "", false)
	f(filepath.Join(dir, "empty"), "", false)
	f(filepath.Join(dir, "nothing"), "", false)
	f(dir, "", false)
	if runtime.GOOS == "linux" {
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		f(self, runtime.GOARCH, true)
	}
}
