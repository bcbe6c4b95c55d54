package storage

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func sshPlace(t *testing.T) place {
	t.Helper()
	address, program := sshServer(t)
	dir := t.TempDir()
	return place{location: address + dir, dir: dir, options: Options{SSH: program}}
}

// TestSSHLockIsTheLockOfTheDirectory: a publisher who comes by ssh and one who
// works on that machine exclude each other.
func TestSSHLockIsTheLockOfTheDirectory(t *testing.T) {
	p := sshPlace(t)
	f := func(first, second Store) {
		t.Helper()
		_, unlock := locked(t, first)
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		if _, _, err := second.Lock(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s was locked while %s was: %v", second, first, err)
		}
		unlock()
		put(t, second, text("x", "x"))
	}
	f(Dir(p.dir, nil), p.open(t))
	f(p.open(t), Dir(p.dir, nil))
}

// TestLostConnection: the lock goes with the connection, on both sides.
func TestLostConnection(t *testing.T) {
	p := sshPlace(t)
	f := func(what string, lose func(*remote)) {
		t.Helper()
		s := p.open(t).(*remote)
		ctx, _ := locked(t, s)
		if err := s.Put(ctx, []File{text("x", what)}); err != nil {
			t.Fatal(err)
		}
		lose(s)
		<-ctx.Done()
		if cause := context.Cause(ctx); !errors.Is(cause, ErrLockLost) {
			t.Errorf("%s: %v", what, cause)
		}
		if err := s.Put(t.Context(), []File{text("x", "too late")}); err == nil {
			t.Errorf("%s: written without the lock", what)
		}
		put(t, p.open(t), text("y", what)) // nobody has it any more
		has(t, s, "x", what)               // a reader connects again
		put(t, s, text("x", "again"))
	}
	f("the writer ends", func(s *remote) { _ = s.writer.cmd.Process.Kill() })
	f("the connection ends", func(s *remote) { _ = s.master.cmd.Process.Kill() })
}

func TestNothingIsLeftOfAConnection(t *testing.T) {
	p := sshPlace(t)
	t.Setenv("TMPDIR", t.TempDir())
	s, err := Open(p.location, p.options)
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, text("x", "x"))
	socket := s.(*remote).socket
	if info, err := os.Stat(filepath.Dir(socket)); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory of the socket: %v, %v", info, err)
	}
	if err := errors.Join(Close(s), Close(s)); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

// TestWhatGoesWrongThere is told in the words of the other side.
func TestWhatGoesWrongThere(t *testing.T) {
	p := sshPlace(t)
	f := func(err error, want string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v, want %q in one line", err, want)
		}
	}
	s := p.open(t)
	put(t, s, text("file", "x"))
	ctx, _ := locked(t, s)
	f(s.Put(ctx, []File{text("file/x", "x")}), "File exists")

	if err := os.Mkdir(filepath.Join(p.dir, "folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := s.Get(t.Context(), "folder", 1)
	f(err, "not a regular file")

	elsewhere := p
	elsewhere.location += "/not-there"
	_, _, err = elsewhere.open(t).Lock(t.Context())
	f(err, "not-there")
	if _, err := elsewhere.open(t).Get(t.Context(), "x", 1); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}

	stranger := p
	stranger.options.SSH = append([]string{}, p.options.SSH...)
	stranger.options.SSH = append(stranger.options.SSH, "-o", "UserKnownHostsFile=/dev/null")
	_, err = stranger.open(t).Get(t.Context(), "x", 1)
	f(err, "Host key verification failed")

	stranger.options.SSH = []string{"/not/there/ssh"}
	_, err = stranger.open(t).Get(t.Context(), "x", 1)
	f(err, "no such file")
}

func TestWriterScript(t *testing.T) {
	program, err := exec.LookPath("shellcheck")
	if err != nil {
		missingProgram(t, "shellcheck is not installed: the script of the writer is not checked")
	}
	if out, err := exec.Command(program, "--shell=sh", "ssh_writer.sh").CombinedOutput(); err != nil {
		t.Errorf("%s", out)
	}
	cmd := exec.Command(program, "--shell=sh", "-")
	cmd.Stdin = strings.NewReader(describeScript("&& cat") + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s", out)
	}
}
