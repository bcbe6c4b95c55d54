package server

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// scripted is a connection whose windows end as the test says.
type scripted struct {
	steps []step
	got   bytes.Buffer
}

type step struct {
	read, written int64 // what is read and not written was in a buffer
	err           error
}

func (s *scripted) ReadFrom(r io.Reader) (int64, error) {
	next := s.steps[0]
	s.steps = s.steps[1:]
	body, err := io.ReadAll(io.LimitReader(r, next.read))
	if err != nil {
		return 0, err
	}
	s.got.Write(body[:next.written])
	return next.written, next.err
}

func TestPace(t *testing.T) {
	const body = "0123456789"
	over := os.ErrDeadlineExceeded
	f := func(want string, wantErr error, steps ...step) {
		t.Helper()
		s := &scripted{steps: steps}
		windows := 0
		content := &io.LimitedReader{R: strings.NewReader(body), N: int64(len(body))}
		sent, err := pace{time.Second, 3}.send(s, content, func(time.Time) error { windows++; return nil })
		if s.got.String() != want || sent != int64(len(want)) || !errors.Is(err, wantErr) || windows != len(steps) || len(s.steps) != 0 {
			t.Errorf("%v: sent %q (%d) in %d windows, %v", steps, s.got.String(), sent, windows, err)
		}
	}
	f(body, nil, step{10, 10, nil})
	f(body, nil, step{3, 3, over}, step{4, 4, over}, step{3, 3, nil})
	f(body, nil, step{6, 3, over}, step{7, 5, over}, step{2, 2, nil}) // a file system without sendfile
	f("012", over, step{3, 3, over}, step{0, 0, over})
	f("01", over, step{2, 2, over})
	f("01234", io.ErrClosedPipe, step{5, 5, io.ErrClosedPipe})

	// What net/http sends ahead of the file is no progress.
	if got := newPace(time.Millisecond, 1).least; got <= 512 {
		t.Errorf("%d bytes a window are enough", got)
	}
	if got := newPace(30*time.Second, 1000).least; got != 30_000 {
		t.Errorf("%d bytes a window, want 30000", got)
	}
}

// bigFile adds a package that no socket buffer holds.
func bigFile(t *testing.T, dir string) (digest [32]byte) {
	t.Helper()
	body := bytes.Repeat([]byte("0123456789abcdef"), 4<<20)
	if err := os.WriteFile(filepath.Join(dir, "pool/big.deb"), body, 0o644); err != nil {
		t.Fatal(err)
	}
	return sha256.Sum256(body)
}

// TestManyWindows lets many windows end in the middle of a file: not a byte is
// lost or sent twice.
func TestManyWindows(t *testing.T) {
	dir := testTree(t)
	want := bigFile(t, dir)
	files, err := Handler(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	var windows atomic.Int64
	renewed := make(chan struct{}, 1000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		files.ServeHTTP(&everyWindow{w, &windows, renewed}, r)
	}))
	defer server.Close()
	c := dial(t, server.Listener.Addr().String())
	if _, err := io.WriteString(c, "GET /pool/big.deb HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.New()
	for range 8 { // 8 MB of 64, and after each some windows in which nothing moves
		if _, err := io.CopyN(sum, response.Body, 1<<20); err != nil {
			t.Fatal(err)
		}
		<-renewed
		<-renewed
	}
	if _, err := io.Copy(sum, response.Body); err != nil {
		t.Fatal(err)
	}
	if got := [32]byte(sum.Sum(nil)); got != want || windows.Load() < 16 {
		t.Errorf("after %d windows the file has digest %x, want %x", windows.Load(), got, want)
	}
}

// everyWindow has no lower limit, and tells of each window.
type everyWindow struct {
	http.ResponseWriter
	windows *atomic.Int64
	renewed chan struct{}
}

func (e *everyWindow) ReadFrom(r io.Reader) (int64, error) {
	set := http.NewResponseController(e.ResponseWriter).SetWriteDeadline
	return pace{5 * time.Millisecond, 0}.send(e.ResponseWriter.(io.ReaderFrom), r, func(at time.Time) error {
		e.windows.Add(1)
		select {
		case e.renewed <- struct{}{}:
		default:
		}
		return set(at)
	})
}

// stuck asks for the big file and reads nothing of it.
func stuck(t *testing.T, address string) io.Reader {
	t.Helper()
	c := dial(t, address)
	if _, err := io.WriteString(c, "GET /pool/big.deb HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestSlowClient cuts off one that takes nothing. The control, without the
// guard, is still being served then.
func TestSlowClient(t *testing.T) {
	dir := testTree(t)
	bigFile(t, dir)
	guarded := start(t, dir, Options{Limits: Limits{Window: 100 * time.Millisecond}})
	control := start(t, dir, Options{Limits: Limits{Window: time.Hour}}).address
	one, other := stuck(t, guarded.address), stuck(t, control)
	<-guarded.log.requests // it has ended, though nobody has read
	if log := guarded.log.String(); !strings.Contains(log, "level=WARN msg=request ") || !strings.Contains(log, " cut=slow ") {
		t.Errorf("log: %s", log)
	}
	if n, err := io.Copy(io.Discard, one); err == nil || n > 60<<20 {
		t.Errorf("a client that took nothing got %d bytes in the end, %v", n, err)
	}
	if n, err := io.Copy(io.Discard, other); err != nil || n < 64<<20 {
		t.Errorf("the control got %d bytes, %v: the test proves nothing", n, err)
	}
}

// TestSlowHeader and an idle connection, in the same way: when the guarded one
// is closed, that of the control still answers.
func TestSlowHeader(t *testing.T) {
	f := func(what, before, after string, limits Limits) {
		t.Helper()
		dir := testTree(t)
		guarded := start(t, dir, Options{Limits: limits}).address
		control := start(t, dir, Options{}).address
		one, other := dial(t, guarded), dial(t, control)
		for _, c := range []io.Writer{one, other} {
			if _, err := io.WriteString(c, before); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := io.Copy(io.Discard, one); err != nil && errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: the connection stays", what)
		}
		if _, err := io.WriteString(other, after); err != nil {
			t.Fatal(err)
		}
		answers, err := io.ReadAll(other)
		if err != nil || !bytes.Contains(answers, []byte(" 404 Not Found")) {
			t.Errorf("%s: the control got %q, %v: the test proves nothing", what, answers, err)
		}
	}
	f("half a header", "GET /x HTTP/1.1\r\nHo", "st: x\r\nConnection: close\r\n\r\n", Limits{Header: 100 * time.Millisecond})
	f("no header", "", "GET /x HTTP/1.0\r\n\r\n", Limits{Header: 100 * time.Millisecond})
	f("idle", "GET /key.asc HTTP/1.1\r\nHost: x\r\n\r\n", "GET /x HTTP/1.0\r\n\r\n", Limits{Idle: 100 * time.Millisecond})
}

func TestHeaderSize(t *testing.T) {
	address := start(t, testTree(t), Options{}).address
	f := func(size int, want string) {
		t.Helper()
		c := dial(t, address)
		// An answer may come before all is sent, so an error here is none.
		_, _ = fmt.Fprintf(c, "GET /key.asc HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: %s\r\n\r\n", strings.Repeat("x", size))
		line, err := bufio.NewReader(c).ReadString('\n')
		if err != nil || !strings.HasPrefix(line, want) {
			t.Errorf("%d bytes: %q, %v", size, line, err)
		}
	}
	f(8<<10, "HTTP/1.1 200 ")
	f(24<<10, "HTTP/1.1 431 ")
}
