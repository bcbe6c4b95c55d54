package release

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// line is one event of the callback plugin.
type line struct {
	Event  string          `json:"event"` // play, no-hosts, start, step, ok, skipped, failed, unreachable
	Play   string          `json:"play"`
	Task   string          `json:"task"`
	Host   string          `json:"host"`
	Step   string          `json:"step"`   // of a host that is in its transaction
	Result json.RawMessage `json:"result"` // what the task's module returned
}

// events is the pipe from the callback plugin. Its end comes when Ansible and all its
// children have closed theirs, or at last when Ansible has ended and it is empty: a
// child that goes on must not keep anybody waiting.
type events struct {
	pipe  *os.File
	ended atomic.Bool
}

// each calls f for every event in order, and returns at the end of the pipe.
func (e *events) each(f func(line)) {
	lines := bufio.NewScanner(e)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var l line
		if json.Unmarshal(lines.Bytes(), &l) == nil {
			f(l)
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		_, _ = io.Copy(io.Discard, e) // Ansible must not wait for us, whatever it says
	}
}

// end is to be called when Ansible has ended: all that it wrote is in the pipe then.
func (e *events) end() {
	e.ended.Store(true)
	_ = e.pipe.SetReadDeadline(time.Now()) // for who is waiting in Read
}

// Read takes what is there, and waits for more only as long as Ansible runs.
func (e *events) Read(p []byte) (int, error) {
	if !e.ended.Load() {
		n, err := e.pipe.Read(p)
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
	}
	_ = e.pipe.SetReadDeadline(time.Time{})
	raw, err := e.pipe.SyscallConn()
	if err != nil {
		return 0, err
	}
	n := 0
	asked := raw.Read(func(fd uintptr) bool {
		for {
			if n, err = syscall.Read(int(fd), p); err != syscall.EINTR {
				return true
			}
		}
	})
	switch {
	case asked != nil:
		return 0, asked
	case n > 0:
		return n, nil
	case err == nil || err == syscall.EAGAIN: // closed, or empty
		return 0, io.EOF
	}
	return 0, err
}
