package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net/url"
	"os"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"
)

// remote keeps a repository in a directory of another machine. It goes through
// the program ssh, so that the user's configuration, agent, jump hosts and
// known hosts are in force, and never asks for anything. One connection carries
// all. The other side needs no kinectl: sh, coreutils, findutils and flock.
type remote struct {
	location string // as people may see it
	root     string // an absolute path there
	ssh      []string
	host     []string // the last arguments of ssh before the command
	create   bool

	slots chan struct{} // sessions of readers; sshd allows ten in all (MaxSessions)

	mu     sync.Mutex
	master *session // nil: not connected
	socket string   // its control socket, in a directory of its own
	writer *sshWriter
}

// newSSH takes a URL whose parts were checked to be safe as arguments.
func newSSH(u *url.URL, o Options) *remote {
	r := &remote{location: u.String(), root: path.Clean(u.Path), ssh: o.SSH, create: o.Create, slots: make(chan struct{}, 7)}
	if len(r.ssh) == 0 {
		r.ssh = []string{"ssh"}
	}
	if port := u.Port(); port != "" {
		r.host = append(r.host, "-p", port)
	}
	if user := u.User.Username(); user != "" {
		r.host = append(r.host, "-l", user)
	}
	r.host = append(r.host, "--", u.Hostname())
	return r
}

func (r *remote) String() string { return r.location }

// describeScript prints size, time and kind of the file $1/$2, and then what
// more prints, all of the same open file: its name may mean another one a moment
// later. The status for a file that is not there is missing.
func describeScript(more string) string {
	return `at=$1/$2
{ LC_ALL=C stat -c "%s %.9Y %F" - ` + more + `; } <"$at" && exit
case $(LC_ALL=C stat -L -- "$at" 2>&1) in
*"No such file"* | *"Not a directory"*) exit 44 ;;
esac
exit 1`
}

const missing = 44

func (r *remote) Stat(ctx context.Context, name string) (Info, error) {
	s, info, err := r.find(ctx, name, describeScript(""))
	if err != nil {
		return Info{}, err
	}
	return info, s.end()
}

func (r *remote) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	s, info, err := r.find(ctx, name, describeScript("&& cat"))
	if err != nil {
		return nil, err
	}
	return &remoteFile{s, info}, nil
}

// find starts a script whose first line is that of describeScript.
func (r *remote) find(ctx context.Context, name, script string) (*session, Info, error) {
	if err := checkName(name); err != nil {
		return nil, Info{}, err
	}
	s, err := r.session(ctx, script, r.root, name)
	if err != nil {
		return nil, Info{}, err
	}
	line, err := s.out.ReadString('\n')
	if err != nil {
		err = s.early()
		if s.status() == missing {
			err = fs.ErrNotExist
		}
		return nil, Info{}, fmt.Errorf("%s: %s: %w", r, name, err)
	}
	size, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
	modified, kind, _ := strings.Cut(rest, " ")
	info, err := infoOf(name, size, modified)
	if err == nil && !strings.HasPrefix(kind, "regular") {
		err = notRegular(name)
	}
	if err != nil {
		s.kill()
		return nil, Info{}, fmt.Errorf("%s: %w", r, err)
	}
	return s, info, nil
}

// remoteFile is a file that is being read. Its end is only its end when all of
// it has come.
type remoteFile struct {
	s    *session
	left Info
}

func (f *remoteFile) Read(p []byte) (int, error) {
	n, err := f.s.out.Read(p)
	f.left.Size -= int64(n)
	if errors.Is(err, io.EOF) && f.left.Size != 0 {
		err = f.s.early()
	}
	return n, err
}

func (f *remoteFile) Close() error { f.s.kill(); return nil }

func (r *remote) Get(ctx context.Context, name string, limit int64) ([]byte, error) {
	in, err := r.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	body, err := ReadAllLimit(in, limit)
	if err != nil {
		return nil, fmt.Errorf("%s: read %s: %w", r, name, err)
	}
	return body, nil
}

// listing prints every file below $2 of $1.
const listing = `[ -d "$1/$2" ] || exit 0
cd -- "$1" && exec find "./$2" -ignore_readdir_race -name ".?*" -prune -o -type f -printf "%s %T@ %p\0"`

func (r *remote) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		top := path.Dir(prefix + "x")
		if top != "." {
			if err := checkName(top); err != nil {
				yield(Info{}, err)
				return
			}
		}
		s, err := r.session(ctx, listing, r.root, top)
		if err != nil {
			yield(Info{}, err)
			return
		}
		defer s.kill()
		for {
			line, err := s.out.ReadString(0)
			if errors.Is(err, io.EOF) {
				err = s.end()
				if err != nil {
					yield(Info{}, fmt.Errorf("list %s: %w", r, err))
				}
				return
			}
			size, rest, _ := strings.Cut(strings.TrimSuffix(line, "\x00"), " ")
			modified, name, _ := strings.Cut(rest, " ")
			name = path.Clean(name)
			if !strings.HasPrefix(name, prefix) {
				continue
			}
			info, err := infoOf(name, size, modified)
			if !yield(info, err) || err != nil {
				return
			}
		}
	}
}

// infoOf reads what stat and find print: bytes, and seconds with a fraction.
func infoOf(name, size, modified string) (Info, error) {
	bytes, err := strconv.ParseInt(size, 10, 64)
	whole, fraction, _ := strings.Cut(modified, ".")
	seconds, err2 := strconv.ParseInt(whole, 10, 64)
	nanoseconds, err3 := strconv.ParseInt((fraction + "000000000")[:9], 10, 64)
	if err := errors.Join(err, err2, err3); err != nil {
		return Info{}, fmt.Errorf("the answer about %s is not understood: %w", name, err)
	}
	return Info{Name: name, Size: bytes, Modified: time.Unix(seconds, nanoseconds)}, nil
}

// connect makes the connection that all sessions share, and returns its socket.
func (r *remote) connect(ctx context.Context) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.master != nil && !r.master.ended() {
		return r.socket, nil
	}
	if err := r.disconnect(); err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "kinectl-ssh-")
	if err != nil {
		return "", err
	}
	r.socket = path.Join(dir, "c")
	master, err := startSession(r.command(r.socket, "yes", `echo connected; exec cat >/dev/null`), nil)
	if err == nil {
		r.master = master
		stop := context.AfterFunc(ctx, master.kill)
		defer stop()
		for line := ""; err == nil && line != "connected\n"; { // a login shell may greet first
			line, err = master.out.ReadString('\n')
		}
		if err != nil {
			err = master.early()
		}
	}
	if err != nil {
		return "", fmt.Errorf("connect to %s: %w", r, errors.Join(ctx.Err(), err, r.disconnect()))
	}
	return r.socket, nil
}

// disconnect ends the connection and removes its socket.
func (r *remote) disconnect() error {
	if r.socket == "" {
		return nil
	}
	if r.master != nil {
		r.master.kill()
	}
	dir := path.Dir(r.socket)
	r.master, r.socket = nil, ""
	return os.RemoveAll(dir)
}

// Close ends the connection, and a lock with it.
func (r *remote) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.disconnect()
}
