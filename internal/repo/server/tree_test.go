package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/kinectl/kinectl/service"
)

const (
	debName   = "pool/main/h/hello/hello_1.0+b1_amd64.deb"
	rpmName   = "yum/stable/x86_64/Packages/0123456789abcdef/h/hello/hello-1.0-1.x86_64.rpm"
	repodata  = "yum/stable/x86_64/repodata/"
	inRelease = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nOrigin: test\nSuite: stable\nDate: Sun, 22 Nov 2026 10:00:00 UTC\nValid-Until: Sun, 29 Nov 2026 10:00:00 UTC\nSHA256:\n 00 1 Date: Mon, 02 Jan 2006 15:04:05 UTC\n"
)

func sum(body string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(body))) }

// byHash is where an index with this content lies.
func byHash(body string) string { return "dists/stable/main/binary-amd64/by-hash/SHA256/" + sum(body) }

// put writes a file of the repository aside and renames it.
func put(t *testing.T, dir, name, body string) {
	t.Helper()
	file := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	aside := filepath.Join(filepath.Dir(file), ".aside")
	if err := os.WriteFile(aside, []byte(body), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(aside, file); err != nil {
		t.Fatal(err)
	}
}

// testTree is a repository with a file of each kind.
func testTree(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, body := range map[string]string{
		"key.asc":                           "the key",
		"dists/stable/InRelease":            inRelease,
		"dists/stable/main/Contents-all.gz": "contents",
		byHash("a list"):                    "a list",
		debName:                             "a deb of 24 bytes, really",
		rpmName:                             "an rpm",
		repodata + sum("primary") + "-primary.xml.gz": "primary",
	} {
		put(t, dir, name, body)
	}
	publishPair(t, dir, "first")
	return dir
}

// signature stands for a signature: it holds for one text only.
func signature(text string) string { return "signature of " + sum(text) }

// publishPair puts a yum root in its place as a publication does.
func publishPair(t *testing.T, dir, text string) {
	t.Helper()
	put(t, dir, repodata+sum(text)+"-repomd.xml", text)
	put(t, dir, repodata+sum(text)+"-repomd.xml.asc", signature(text))
	put(t, dir, repodata+"repomd.xml", text)
	put(t, dir, repodata+"repomd.xml.asc", signature(text))
}

// lines is a log that may be read while it is written.
type lines struct {
	mu       sync.Mutex
	all      bytes.Buffer
	requests chan struct{}  // one for each request
	at       chan [2]string // part and address of what listens
	ready    chan struct{}  // closed once it says so
}

var listening = regexp.MustCompile(`msg=listening part=(\S+) address=(\S+)`)

func (l *lines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if bytes.Contains(line, []byte(" msg=request ")) {
		l.requests <- struct{}{}
	}
	if m := listening.FindSubmatch(line); m != nil {
		l.at <- [2]string{string(m[1]), string(m[2])}
	}
	if bytes.Contains(line, []byte(" msg=ready ")) {
		close(l.ready)
	}
	return l.all.Write(line)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// running is a service that serves a repository.
type running struct {
	address, operation string
	log                *lines
	end                func() error // ends it; what it returned
}

// start serves dir on free ports until the test ends, or end is called.
func start(t *testing.T, dir string, o Options, environ ...string) *running {
	t.Helper()
	return startOn(t, func(serve func()) { serve() }, "127.0.0.1:0", dir, o, environ...)
}

// startOn is start on an address, and where a goroutine of its own is led to.
func startOn(t *testing.T, where func(serve func()), address, dir string, o Options, environ ...string) *running {
	t.Helper()
	files, err := Handler(dir)
	if err != nil {
		t.Fatal(err)
	}
	o.Log = true
	r := &running{log: &lines{requests: make(chan struct{}, 10_000), at: make(chan [2]string, 2), ready: make(chan struct{})}}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	process := service.Process{
		Build:   service.Build{Name: "repository", Version: "1.2.3", Revision: "a\"b\\c\n", BuildTime: "now"},
		Environ: append([]string{"METRICS_ADDRESS=127.0.0.1:0"}, environ...),
		Log:     r.log,
	}
	go where(func() {
		ended <- service.Serve(ctx, process, func(s *service.Service, _ struct{}) error {
			Add(s, service.Address(address), files, o)
			return nil
		})
	})
	for ready := r.log.ready; ready != nil; { // it listens before it is ready
		select {
		case <-ready:
			ready = nil
		case err := <-ended:
			t.Fatal(err)
		}
	}
	for range 2 {
		if at := <-r.log.at; at[0] == "metrics" {
			r.operation = at[1]
		} else {
			r.address = at[1]
		}
	}
	r.end = sync.OnceValue(func() error {
		stop()
		err := <-ended
		files.Close()
		return err
	})
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		if err := r.end(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// dial connects as a client that does not behave. No read waits for ever.
func dial(t *testing.T, address string) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return c.(*net.TCPConn)
}
