package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// client asks over one connection at a time. It is not net/http's, which asks
// again by itself when a connection that it kept was closed, and hides that.
type client struct {
	target *url.URL
	keep   bool
	body   string // "" to ask by GET
	conn   net.Conn
	reader *bufio.Reader
	used   time.Time // when the last answer came
}

func newClient(target *url.URL, keep bool, body string) *client {
	return &client{target: target, keep: keep, body: body}
}

// patience is with one answer, and with a connection.
const patience = 30 * time.Second

// idle is how long a connection is kept without a request. A service that stops leaves
// 300 ms to the next one (docs/service.md): whoever keeps them longer meets its end.
const idle = 200 * time.Millisecond

func (c *client) kind() string {
	method, connection := http.MethodGet, "new"
	if c.body != "" {
		method = http.MethodPost
	}
	if c.keep {
		connection = "kept"
	}
	return method + " " + connection
}

// ask asks once. Its error has no address of this end in it, so that equal
// faults can be counted.
func (c *client) ask() error {
	if c.conn != nil && (time.Since(c.used) > idle || gone(c.conn)) {
		c.close()
	}
	if c.conn == nil {
		conn, err := net.DialTimeout("tcp", c.target.Host, patience)
		if err != nil {
			return fmt.Errorf("connect: %w", cause(err))
		}
		c.conn, c.reader = conn, bufio.NewReader(conn)
	}
	again, err := c.exchange()
	if err != nil || !again {
		c.close()
	}
	return err
}

// gone reports whether the other end has closed a connection that was kept: every
// client looks before it sends. One that is closed a moment later costs a request.
func gone(conn net.Conn) bool {
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		return true
	}
	closed := false
	err = raw.Control(func(fd uintptr) {
		n, _, err := syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		closed = err == nil && n == 0 || err != nil && err != syscall.EAGAIN
	})
	return closed || err != nil
}

func (c *client) exchange() (again bool, err error) {
	request, err := http.NewRequest(http.MethodGet, c.target.String(), nil)
	if c.body != "" {
		request, err = http.NewRequest(http.MethodPost, c.target.String(), strings.NewReader(c.body))
	}
	if err != nil {
		return false, err
	}
	request.Close = !c.keep
	_ = c.conn.SetDeadline(time.Now().Add(patience))
	if err := request.Write(c.conn); err != nil {
		return false, fmt.Errorf("send: %w", cause(err))
	}
	response, err := http.ReadResponse(c.reader, request)
	if err != nil {
		return false, fmt.Errorf("answer: %w", cause(err))
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return false, fmt.Errorf("body: %w", cause(err))
	}
	if response.StatusCode/100 != 2 {
		return false, fmt.Errorf("answer: %s", response.Status)
	}
	c.used = time.Now()
	if c.keep && !response.Close {
		return true, nil
	}
	// The service has said that it closes. Whoever closes first keeps the port for a
	// minute (TIME-WAIT in RFC 9293, 3.6), and a thousand a second are more than there are: from
	// then on a search for a free one takes longer than all else.
	_, _ = io.Copy(io.Discard, c.conn)
	return false, nil
}

func (c *client) close() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}

// cause leaves out which addresses an error of the network is about.
func cause(err error) error {
	var of *net.OpError
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}
