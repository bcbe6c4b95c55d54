package service

import (
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestHold: a connection waits in the socket until the file is there, and a
// listener that is closed before ends its Accept.
func TestHold(t *testing.T) {
	f := func(t *testing.T, appears bool) {
		file := filepath.Join(t.TempDir(), "accept")
		bare, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l := newHold(file).on(bare)
		t.Cleanup(func() { _ = l.Close() })
		client, err := net.Dial("tcp", l.Addr().String()) // the kernel takes it
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		accepted := make(chan error, 1)
		go func() {
			conn, err := l.Accept()
			if err == nil {
				_ = conn.Close()
			}
			accepted <- err
		}()
		select {
		case err := <-accepted:
			t.Fatalf("accepted before the file was there: %v", err)
		case <-time.After(4 * look):
		}
		if !appears {
			_ = l.Close()
			if err := <-accepted; !errors.Is(err, net.ErrClosed) {
				t.Errorf("closed while it waited: %v", err)
			}
			return
		}
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := <-accepted; err != nil {
			t.Errorf("with the file: %v", err)
		}
		end := time.Now().Add(patience)
		for _, err = os.Lstat(file); err == nil; _, err = os.Lstat(file) {
			if time.Now().After(end) {
				t.Fatal("the file is not removed")
			}
			time.Sleep(look) // it is removed after the channel was closed
		}
	}
	t.Run("appears", func(t *testing.T) { f(t, true) })
	t.Run("closed", func(t *testing.T) { f(t, false) })
}

// TestHoldNothing: without the variable a listener is left as it is.
func TestHoldNothing(t *testing.T) {
	bare, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer bare.Close()
	if newHold("").on(bare) != bare {
		t.Error("it was wrapped")
	}
}

// TestHeldService asks a whole service: it is ready while nobody is served yet,
// who came before is answered then, and a stop need not wait for the file.
func TestHeldService(t *testing.T) {
	f := func(appears bool) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "accept")
		r := begin(t, nil, []string{"ACCEPT_AFTER=" + file}, func(s *Service, _ none) error {
			s.HTTP("127.0.0.1:0", http.NotFoundHandler())
			return nil
		})
		r.told("READY=1")
		if status, _ := get(t, "http://"+r.address("metrics")+"/ready"); status != 200 {
			t.Errorf("/ready: %d", status)
		}
		conn, err := net.Dial("tcp", r.address("http"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := conn.Write([]byte("GET / HTTP/1.0\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		_ = conn.SetReadDeadline(time.Now().Add(4 * look))
		if n, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("answered before the file was there: %d, %v", n, err)
		}
		if appears {
			if err := os.WriteFile(file, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			_ = conn.SetReadDeadline(time.Now().Add(patience))
			if n, err := conn.Read(make([]byte, 1)); n != 1 {
				t.Errorf("with the file: %v", err)
			}
		}
		r.signals <- syscall.SIGTERM
		r.told("STOPPING=1")
		r.exits(0)
	}
	f(true)
	f(false)
}
