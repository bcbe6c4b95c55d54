package storage

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestWeb(t *testing.T) {
	dir := t.TempDir()
	put(t, Dir(dir, nil), text("pool/a/hello_1.0~rc+1 x.deb", "body"))
	var asked string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.RequestURI + " " + r.Header.Get("Cache-Control") + " " + r.Header.Get("Accept-Encoding")
		switch r.URL.Path {
		case "/apt/broken":
			w.WriteHeader(http.StatusBadGateway)
		case "/apt/short":
			w.Header().Set("Content-Length", "10")
			_, _ = w.Write([]byte("short"))
		default:
			http.StripPrefix("/apt/", http.FileServer(http.Dir(dir))).ServeHTTP(w, r)
		}
	}))
	defer server.Close()
	location := strings.Replace(server.URL, "http://", "http://me:secret@", 1) + "/apt/"
	r, err := OpenReader(location, Options{})
	if err != nil {
		t.Fatal(err)
	}
	has(t, r, "pool/a/hello_1.0~rc+1 x.deb", "body")
	if want := "/apt/pool/a/hello_1.0~rc%2B1%20x.deb no-cache identity"; asked != want {
		t.Errorf("asked for %q, want %q", asked, want)
	}
	if _, err := r.Get(t.Context(), "pool/a/hello_1.0~rc+1 x.deb", 3); !errors.Is(err, ErrTooLong) {
		t.Error(err)
	}
	hasNot(t, r, "not/there")
	for name, want := range map[string]string{"broken": "502", "short": "unexpected EOF", "../x": "not the name"} {
		_, err := r.Get(t.Context(), name, 100)
		if err == nil || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestWebSwitchedOff gives up on a server that is as silent as one without power: its
// queue is full, so that the kernel drops whoever comes.
func TestWebSwitchedOff(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("a full queue is silent on Linux only")
	}
	t.Parallel()
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(socket) })
	if err := errors.Join(syscall.Bind(socket, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), syscall.Listen(socket, 0)); err != nil {
		t.Fatal(err)
	}
	bound, err := syscall.Getsockname(socket)
	if err != nil {
		t.Fatal(err)
	}
	address := (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: bound.(*syscall.SockaddrInet4).Port}).String()
	for {
		c, err := net.DialTimeout("tcp", address, 500*time.Millisecond)
		if err != nil {
			break
		}
		t.Cleanup(func() { _ = c.Close() })
	}

	r, err := OpenReader("http://"+address+"/apt", Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if _, err := r.Get(ctx, "key.asc", 100); err == nil || ctx.Err() != nil {
		t.Errorf("after 30 s at most: %v, %v", err, ctx.Err())
	}
}
