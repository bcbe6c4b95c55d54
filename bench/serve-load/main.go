//go:build linux

// Command serve-load is the clients of bench/serve. Results go into the file
// OUT, whole.
//
//	serve-load OUT fetch ADDRESS PATH CLIENTS SECONDS    bytes a second
//	serve-load OUT hold ADDRESS PATH CLIENTS             clients that were answered
//
// fetch asks again and again over connections that are kept, and lets the
// kernel throw the bodies away (MSG_TRUNC, tcp(7)), so that most of the time is
// the server's. hold asks once over each connection, writes OUT, keeps them idle
// until its standard input ends, asks once more over each, and writes OUT again.
package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/kinectl/kinectl/internal/atomicfile"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		panic(err) // bench/serve calls this, and ends with it
	}
}

func run(args []string) error {
	if len(args) < 5 {
		return fmt.Errorf("serve-load: %d arguments", len(args))
	}
	out, what, address, path := args[0], args[1], args[2], args[3]
	clients, err := strconv.Atoi(args[4])
	if err != nil {
		return err
	}
	report := func(n int64) error { return atomicfile.Write(out, []byte(fmt.Sprintln(n)), 0o644) }
	switch {
	case what == "fetch" && len(args) == 6:
		seconds, err := strconv.Atoi(args[5])
		if err != nil {
			return err
		}
		speed, err := fetch(address, path, clients, time.Duration(seconds)*time.Second)
		if err != nil {
			return err
		}
		return report(speed)
	case what == "hold":
		return hold(address, path, clients, report)
	}
	return fmt.Errorf("serve-load: unknown %q", args[1:])
}

// fetch returns the bytes of bodies a second that all clients got together.
func fetch(address, path string, clients int, how time.Duration) (int64, error) {
	all, err := connect(address, path, clients)
	if err != nil {
		return 0, err
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var total int64
	var failed error
	start := time.Now()
	for _, c := range all {
		wg.Go(func() {
			var got int64
			var err error
			for err == nil && time.Since(start) < how {
				var n int64
				n, err = c.get()
				got += n
			}
			mu.Lock()
			defer mu.Unlock()
			total += got
			if err != nil {
				failed = err
			}
		})
	}
	wg.Wait()
	return int64(float64(total) / time.Since(start).Seconds()), failed
}

func hold(address, path string, clients int, report func(int64) error) error {
	all, err := connect(address, path, clients)
	if err != nil {
		return err
	}
	ask := func() error {
		answered := int64(0)
		for _, c := range all {
			if _, err := c.get(); err == nil {
				answered++
			}
		}
		return report(answered)
	}
	if err := ask(); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	return ask()
}

// client is one connection that is kept.
type client struct {
	conn    net.Conn
	raw     syscall.RawConn
	request []byte
	buf     []byte
}

func connect(address, path string, clients int) ([]*client, error) {
	request := []byte("GET " + path + " HTTP/1.1\r\nHost: bench\r\nUser-Agent: serve-load\r\n\r\n")
	all := make([]*client, clients)
	buf := make([]byte, 1<<20) // its content means nothing, so it is everybody's
	for i := range all {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return nil, err
		}
		raw, err := conn.(*net.TCPConn).SyscallConn()
		if err != nil {
			return nil, err
		}
		all[i] = &client{conn, raw, request, buf}
	}
	return all, nil
}

// get asks once and returns the length of the body.
func (c *client) get() (int64, error) {
	if _, err := c.conn.Write(c.request); err != nil {
		return 0, err
	}
	head := make([]byte, 0, 4096)
	end := -1
	for end < 0 {
		n, err := c.conn.Read(head[len(head):cap(head)])
		if err != nil {
			return 0, err
		}
		head = head[:len(head)+n]
		if end = bytes.Index(head, []byte("\r\n\r\n")); end < 0 && len(head) == cap(head) {
			return 0, fmt.Errorf("a header of more than %d bytes", len(head))
		}
	}
	if !bytes.HasPrefix(head, []byte("HTTP/1.1 200 ")) {
		return 0, fmt.Errorf("answer %q", head)
	}
	_, field, _ := bytes.Cut(head[:end+2], []byte("\r\nContent-Length: "))
	length, _, _ := bytes.Cut(field, []byte("\r\n"))
	size, err := strconv.ParseInt(string(length), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("length %q: %w", length, err)
	}
	for left := size - int64(len(head)-end-4); left > 0; {
		n, err := c.discard(left)
		if err != nil {
			return 0, err
		}
		left -= n
	}
	return size, nil
}

// discard takes at most left bytes and does not look at them.
func (c *client) discard(left int64) (n int64, err error) {
	waited := c.raw.Read(func(fd uintptr) bool {
		var got int
		got, _, err = syscall.Recvfrom(int(fd), c.buf[:min(left, int64(len(c.buf)))], syscall.MSG_TRUNC)
		n = int64(got)
		return err != syscall.EAGAIN
	})
	if waited != nil {
		return 0, waited
	}
	if err == nil && n == 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
