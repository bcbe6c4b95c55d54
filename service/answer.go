package service

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
)

// answer is the writer that handlers get: it notes the status, and while the
// service is about to stop it tells the client that the connection ends with
// this answer.
type answer struct {
	http.ResponseWriter
	ending *atomic.Bool
	status int // 0 until the header is written
}

// Unwrap is for [http.ResponseController].
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *answer) WriteHeader(status int) {
	// 1xx come before the answer; 101 is the last of its connection.
	first := a.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols)
	if first {
		a.announce(status)
	}
	a.ResponseWriter.WriteHeader(status) // panics when no such status can be sent: then none was
	if first {
		a.status = status
	}
}

func (a *answer) Write(body []byte) (int, error) {
	a.begin(http.StatusOK)
	return a.ResponseWriter.Write(body)
}

// WriteString spares the copy that Write would need.
func (a *answer) WriteString(body string) (int, error) {
	a.begin(http.StatusOK)
	return io.WriteString(a.ResponseWriter, body)
}

// Flush is what older handlers look for; [http.ResponseController] finds FlushError.
func (a *answer) Flush() { _ = a.FlushError() }

// FlushError sends what was written so far.
func (a *answer) FlushError() error {
	a.begin(http.StatusOK)
	return http.NewResponseController(a.ResponseWriter).Flush()
}

// begin is called before something is written.
func (a *answer) begin(status int) {
	if a.status == 0 {
		a.announce(status)
		a.status = status
	}
}

// announce is called before the header is written. HTTP/2 knows no Connection
// field; net/http makes a GOAWAY of it there (RFC 9113, 6.8).
func (a *answer) announce(status int) {
	if a.ending.Load() && status != http.StatusSwitchingProtocols || status == http.StatusRequestEntityTooLarge && a.one() {
		a.Header()["Connection"] = []string{"close"}
	}
}

// one is HTTP/1, where the body of a request that is too large would have to be read for
// the next request. [http.MaxBytesReader] tells net/http's own writer so, and cannot tell one that is around it.
func (a *answer) one() bool {
	_, hijack := a.ResponseWriter.(http.Hijacker)
	return hijack
}

// answer1 is the answer of HTTP/1, which can do more: ReadFrom lets the kernel
// send files, Hijack gives the connection to the handler. Handlers ask for
// either by a type assertion, so a writer must not have it in vain.
type answer1 struct {
	answer
	hijacked bool
}

// ReadFrom begins the answer with the first byte, so that a source that fails
// before that can still be answered with an error.
func (a *answer1) ReadFrom(r io.Reader) (int64, error) {
	var begun int64
	if a.status == 0 {
		var err error
		if begun, err = io.CopyN(struct{ io.Writer }{&a.answer}, r, sniffed); err != nil {
			if errors.Is(err, io.EOF) { // all of it
				err = nil
			}
			return begun, err
		}
	}
	rest, err := a.ResponseWriter.(io.ReaderFrom).ReadFrom(r)
	return begun + rest, err
}

// sniffed is how much of a body net/http looks at for its type, and so never sends as a file.
const sniffed = 512

func (a *answer1) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffer, err := a.ResponseWriter.(http.Hijacker).Hijack()
	if err == nil {
		a.hijacked = true
		if a.status == 0 {
			a.status = http.StatusSwitchingProtocols
		}
	}
	return conn, buffer, err
}
