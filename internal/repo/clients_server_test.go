package repo

import (
	"bytes"
	"context"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/kinectl/kinectl/internal/repo/server"
	"github.com/kinectl/kinectl/service"
)

// accessLog reads the lines of the server about requests.
type accessLog struct {
	mu     sync.Mutex
	names  []string // what was asked for, with success
	faults []string // the lines of the rest
}

func (l *accessLog) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !bytes.Contains(line, []byte(" msg=request ")) {
		return len(line), nil // of its life
	}
	_, name, _ := bytes.Cut(line, []byte(`request="GET /`))
	name, _, _ = bytes.Cut(name, []byte(`"`))
	if bytes.Contains(line, []byte(" status=200 ")) || bytes.Contains(line, []byte(" status=206 ")) || bytes.Contains(line, []byte(" status=304 ")) {
		l.names = append(l.names, string(name))
	} else {
		l.faults = append(l.faults, string(line))
	}
	return len(line), nil
}

// seen is what was asked for with success, and the lines of all else.
func (l *accessLog) seen() (names, faults []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.names, l.faults
}

// offer serves dir with the project's own server until the test ends.
func offer(t *testing.T, dir string) (address string, log *accessLog) {
	t.Helper()
	handler, err := server.Handler(dir)
	if err != nil {
		t.Fatal(err)
	}
	log = &accessLog{}
	ctx, stop := context.WithCancel(context.Background())
	listening, ended := make(chan string, 1), make(chan error, 1)
	options := server.Options{Log: true, Listening: func(at net.Addr) { listening <- at.String() }}
	go func() {
		ended <- service.Serve(ctx, service.Process{Environ: []string{"METRICS_ADDRESS=off"}, Log: log}, func(s *service.Service, _ struct{}) error {
			server.Add(s, "127.0.0.1:0", handler, options)
			return nil
		})
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		handler.Close()
	})
	return <-listening, log
}

// from is a way to the server at address that comes from a host of its own,
// 127.0.0.N, as each client of a real fleet does.
func from(t *testing.T, n byte, address string) (via string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, n)}}
	go func() {
		for {
			here, err := listener.Accept()
			if err != nil {
				return
			}
			there, err := dialer.Dial("tcp", address)
			if err != nil {
				here.Close()
				continue
			}
			carry := func(to, from net.Conn) {
				_, _ = io.Copy(to, from)
				_ = to.(*net.TCPConn).CloseWrite()
			}
			go func() {
				go carry(there, here)
				carry(here, there)
				there.Close()
				here.Close()
			}()
		}
	}()
	return listener.Addr().String()
}
