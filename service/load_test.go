package service

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// traffic is clients of all kinds that ask until it is finished.
type traffic struct {
	counts map[string]*count
	stop   chan struct{}
	wg     sync.WaitGroup
}

type count struct {
	answered, failed atomic.Int64
	err              atomic.Value
}

func startLoad(address string) *traffic {
	l := &traffic{counts: map[string]*count{}, stop: make(chan struct{})}
	for _, method := range []string{"GET", "POST"} {
		l.clients("HTTP/1.1 "+method+" keep-alive", 4, func() client { return &connection{address: address, method: method, keep: true} })
		l.clients("HTTP/1.1 "+method+" close", 4, func() client { return &connection{address: address, method: method} })
		l.clients("HTTP/2 "+method, 2, func() client { return newHTTP2(address, method, false) })
		l.clients("HTTP/2 "+method+" close", 1, func() client { return newHTTP2(address, method, true) })
	}
	return l
}

// client asks once and checks the answer.
type client interface{ ask() error }

func (l *traffic) clients(kind string, n int, make func() client) {
	c := &count{}
	l.counts[kind] = c
	for range n {
		l.wg.Go(func() {
			ask := make()
			for {
				select {
				case <-l.stop:
					return
				case <-time.After(rand.N(6 * time.Millisecond)):
				}
				if err := ask.ask(); err != nil {
					c.failed.Add(1)
					c.err.Store(err.Error())
				} else {
					c.answered.Add(1)
				}
			}
		})
	}
}

func (l *traffic) finish() { close(l.stop); l.wg.Wait() }

// least is how many answers the kind of client has had that has had fewest: on a
// machine with much else to do they are far apart.
func (l *traffic) least() int64 {
	n := int64(math.MaxInt64)
	for _, c := range l.counts {
		n = min(n, c.answered.Load())
	}
	return n
}

func (l *traffic) answered() (n int64) {
	for _, c := range l.counts {
		n += c.answered.Load()
	}
	return n
}

// failed is of the kinds that a pattern of package path fits.
func (l *traffic) failed(pattern string) (n int64) {
	for kind, c := range l.counts {
		if fits, _ := path.Match(pattern, kind); fits {
			n += c.failed.Load()
		}
	}
	return n
}

const sent = "a body"

func want(method string) string {
	if method == http.MethodPost {
		return "POST " + sent
	}
	return method + " "
}

// connection is a client of HTTP/1.1 that never asks twice, as net/http's does
// by itself.
type connection struct {
	address, method string
	keep            bool
	conn            net.Conn
	reader          *bufio.Reader
}

func (c *connection) ask() (err error) {
	if c.conn == nil {
		if c.conn, err = net.Dial("tcp", c.address); err != nil {
			return err
		}
		c.reader = bufio.NewReader(c.conn)
	}
	again := false
	defer func() {
		if !again {
			c.conn.Close()
			c.conn = nil
		}
	}()
	r, _ := http.NewRequest(c.method, "http://"+c.address, nil)
	if c.method == http.MethodPost {
		r, _ = http.NewRequest(c.method, "http://"+c.address, strings.NewReader(sent))
	}
	r.Close = !c.keep
	_ = c.conn.SetDeadline(time.Now().Add(20 * time.Second))
	if err := r.Write(c.conn); err != nil {
		return err
	}
	response, err := http.ReadResponse(c.reader, r)
	if err != nil {
		return err
	}
	again = c.keep && !response.Close
	return check(response, c.method)
}

// overHTTP2 is net/http's own client.
type overHTTP2 struct {
	http.Client
	address, method string
	fresh           bool
	transport       *http.Transport
}

func newHTTP2(address, method string, fresh bool) *overHTTP2 {
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	t := &http.Transport{Protocols: &protocols}
	return &overHTTP2{Client: http.Client{Transport: t, Timeout: 20 * time.Second}, transport: t, address: address, method: method, fresh: fresh}
}

func (c *overHTTP2) ask() error {
	if c.fresh {
		c.transport.CloseIdleConnections()
	}
	var body io.Reader
	if c.method == http.MethodPost {
		body = strings.NewReader(sent)
	}
	r, _ := http.NewRequest(c.method, "http://"+c.address, body)
	response, err := c.Do(r)
	if err != nil {
		return err
	}
	return check(response, c.method)
}

func check(response *http.Response, method string) error {
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && (response.StatusCode != http.StatusOK || string(body) != want(method)) {
		err = fmt.Errorf("%s %q", response.Status, body)
	}
	return err
}
