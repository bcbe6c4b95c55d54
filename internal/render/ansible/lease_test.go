package ansible

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/kinectl/kinectl/internal/needs"
)

// everywhere runs the plugin without Ansible: one command on all hosts, within so many
// seconds. Meanwhile this process makes pipes, as Ansible does for its workers.
const everywhere = `
import os, sys, threading, types

plugins, base = types.ModuleType("ansible.plugins"), types.ModuleType("ansible.plugins.callback")
plugins.loader, base.CallbackBase = None, object
sys.modules.update({"ansible": types.ModuleType("ansible"), "ansible.plugins": plugins, "ansible.plugins.callback": base})
import kinectl_lease

command, seconds, pipes = sys.argv[1] or None, float(sys.argv[2]), int(sys.argv[3])
plugin = kinectl_lease.CallbackModule()
work = threading.Thread(target=plugin.everywhere, args=(command, seconds), daemon=True)
work.start()
while work.is_alive():
    for end in [end for _ in range(pipes) for end in os.pipe()]:
        os.close(end)
    work.join(0.01)
`

// askEverywhere runs a command over the masters in a folder of sockets, "" to end
// them, by a process that may have so many descriptors, and says how long it took.
func askEverywhere(t *testing.T, sockets, command string, seconds, descriptors, pipes int) time.Duration {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "kinectl_lease.py"), string(lease), 0o600)
	write(t, filepath.Join(dir, "everywhere.py"), everywhere, 0o600)
	cmd := exec.CommandContext(t.Context(), "sh", "-c", fmt.Sprintf(`ulimit -n %d && exec python3 -W error "$@"`, descriptors),
		"sh", filepath.Join(dir, "everywhere.py"), command, fmt.Sprint(seconds), fmt.Sprint(pipes))
	cmd.Env = append(os.Environ(), "KINECTL_SOCKETS="+sockets, "KINECTL_HOLDER=a1")
	start := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("with %d descriptors: %v: %s", descriptors, err, out)
	}
	return time.Since(start)
}

// shortFolder is for sockets, whose paths are short.
func shortFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "mux")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// master plays an ssh that has a connection.
type master struct {
	listener *net.UnixListener
	asked    error // nil after exactly the one session
}

var errNotAsked = errors.New("it was not asked")

// serve answers one client, in pieces of so many bytes.
func (m *master) serve(command string, piece int) {
	m.asked = errNotAsked
	conn, err := m.listener.AcceptUnix()
	if err != nil {
		return
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	m.asked = session(conn, command)
	opened := []uint32{8, 1, 4, 12, 0x80000006, 1, 2, 12, 0x80000004, 2, 0}
	answer, _ := binary.Append(nil, binary.BigEndian, opened)
	for len(answer) > 0 {
		n, err := conn.Write(answer[:min(piece, len(answer))])
		if err != nil {
			m.asked = errors.Join(m.asked, err)
			return
		}
		answer = answer[n:]
	}
	if rest, err := io.ReadAll(conn); len(rest) > 0 || err != nil && !errors.Is(err, syscall.ECONNRESET) {
		m.asked = errors.Join(m.asked, fmt.Errorf("%x after it: %v", rest, err))
	}
}

// session reads what PROTOCOL.mux of OpenSSH calls MUX_C_NEW_SESSION, for this command
// and with three descriptors of nothing.
func session(conn *net.UnixConn, want string) error {
	var head [14]uint32
	if err := binary.Read(conn, binary.BigEndian, &head); err != nil {
		return err
	}
	length := uint32(len(want))
	if want := [14]uint32{8, 1, 4, 40 + length, 0x10000002, 1, 0, 0, 0, 0, 0, 0xFFFFFFFF, 0, length}; head != want {
		return fmt.Errorf("asked %x, want %x", head, want)
	}
	command := make([]byte, length)
	if _, err := io.ReadFull(conn, command); err != nil {
		return err
	}
	if string(command) != want {
		return fmt.Errorf("asked for the command %q, want %q", command, want)
	}
	for range 3 {
		if err := nothing(conn); err != nil {
			return err
		}
	}
	return nil
}

// nothing receives a descriptor of /dev/null.
func nothing(conn *net.UnixConn) error {
	letter, rights := make([]byte, 1), make([]byte, syscall.CmsgSpace(4))
	n, came, _, _, err := conn.ReadMsgUnix(letter, rights)
	if err != nil || n != 1 || letter[0] != 0 {
		return fmt.Errorf("a descriptor: %d %x %w", n, letter, err)
	}
	messages, err := syscall.ParseSocketControlMessage(rights[:came])
	if err != nil || len(messages) != 1 {
		return fmt.Errorf("%d messages: %w", len(messages), err)
	}
	fds, err := syscall.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return fmt.Errorf("%d descriptors: %w", len(fds), err)
	}
	file := os.NewFile(uintptr(fds[0]), "received")
	defer file.Close()
	got, err := file.Stat()
	if err != nil {
		return err
	}
	if want, err := os.Stat(os.DevNull); err != nil || !os.SameFile(got, want) {
		return fmt.Errorf("it got a descriptor of another file: %w", err)
	}
	return nil
}

// TestEverywhere: a run with more hosts than descriptors reaches each of them, also
// when others never answer, and leaves Ansible what that needs.
func TestEverywhere(t *testing.T) {
	needs.Program(t, "python3", "no master was asked")
	f := func(all, silent, seconds, descriptors, pipes int) {
		t.Helper()
		dir := shortFolder(t)
		write(t, filepath.Join(dir, "no-socket"), "", 0o600)
		masters := make([]master, all)
		var served sync.WaitGroup
		for i := range masters {
			m := &masters[i]
			var err error
			if m.listener, err = net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, fmt.Sprint(i))}); err != nil {
				t.Fatal(err)
			}
			defer m.listener.Close()
			switch {
			case i < silent: // the system lets it be connected to
			case i == silent:
				served.Go(func() { garbage(m.listener) })
			default:
				served.Go(func() { m.serve("sh -c 'say a1'", 1+i%50) })
			}
		}
		took := askEverywhere(t, dir, "say {id}", seconds, descriptors, pipes)
		limit := time.Duration(seconds) * time.Second
		if silent > 0 {
			limit += 3 * time.Second // of which it needs little
		}
		if took > limit {
			t.Errorf("%d masters, %d of them silent: it took %s of %s", all, silent, took, limit)
		}
		for i := range masters {
			masters[i].listener.Close()
		}
		served.Wait()
		bad := 0
		for i := silent + 1; i < all; i++ {
			if err := masters[i].asked; err != nil {
				if bad++; bad <= 3 {
					t.Errorf("master %d of %d: %v", i, all, err)
				}
			}
		}
		if bad > 0 {
			t.Errorf("%d masters, %d of them silent, with %d descriptors: %d were not asked as they should", all, silent, descriptors, bad)
		}
	}
	f(300, 1, 2, 256, 30)
	f(300, 150, 3, 256, 30) // they would take all places
	f(100, 1, 2, 24, 0)     // fewer descriptors than places
	f(3, 0, 20, 256, 30)
}

// garbage says that 16 MiB will come, and says no more.
func garbage(l *net.UnixListener) {
	conn, err := l.AcceptUnix()
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = conn.Write([]byte(strings.Repeat("\x01\x00\x00\x00", 4)))
	_, _ = io.ReadAll(conn)
}
