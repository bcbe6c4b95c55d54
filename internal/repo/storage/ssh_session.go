package storage

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// session is one command on the other machine.
type session struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	said *tail         // on standard error
	done chan struct{} // closed when it has ended and err is set
	err  error
	free func() // gives its slot back

	waiting sync.Once
}

// session starts a script for a reader. It ends with ctx.
func (r *remote) session(ctx context.Context, script string, args ...string) (*session, error) {
	socket, err := r.connect(ctx)
	if err != nil {
		return nil, err
	}
	select {
	case r.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s, err := startSession(r.command(socket, "no", script, args...), func() { <-r.slots })
	if err != nil {
		<-r.slots
		return nil, err
	}
	stop := context.AfterFunc(ctx, s.kill)
	go func() { <-s.done; stop() }()
	return s, nil
}

// command is ssh with a script and its arguments. The user's shell there only
// has to understand single quotes.
func (r *remote) command(socket, master, script string, args ...string) *exec.Cmd {
	words := append([]string{}, r.ssh[1:]...)
	for _, option := range []string{
		"BatchMode=yes", "ControlMaster=" + master, "ControlPersist=no", "ConnectTimeout=15",
		"ServerAliveInterval=10", "ServerAliveCountMax=3",
		"RequestTTY=no", "RemoteCommand=none", "ClearAllForwardings=yes", "PermitLocalCommand=no",
	} {
		words = append(words, "-o", option)
	}
	words = append(append(words, "-S", socket), r.host...)
	remote := "exec sh -c " + quote(script) + " sh"
	for _, arg := range args {
		remote += " " + quote(arg)
	}
	return exec.Command(r.ssh[0], append(words, remote)...)
}

// quote makes one word of a shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

func startSession(cmd *exec.Cmd, free func()) (*session, error) {
	s := &session{cmd: cmd, said: &tail{}, done: make(chan struct{}), free: free}
	cmd.Stderr = s.said
	// A killed ssh has lent its standard error to the one that has the connection.
	cmd.WaitDelay = 500 * time.Millisecond
	var err error
	if s.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.out = bufio.NewReaderSize(out, 64<<10)
	return s, cmd.Start()
}

// end waits for the end of the command, whose output must have been read, and
// returns what ssh or the command has to say when it was not good.
func (s *session) end() error {
	s.in.Close()
	s.waiting.Do(func() {
		if s.err = s.cmd.Wait(); s.err != nil {
			if said := s.said.String(); said != "" {
				s.err = fmt.Errorf("%s (%w)", said, s.err)
			}
		}
		if s.free != nil {
			s.free()
		}
		close(s.done)
	})
	<-s.done
	return s.err
}

// kill ends the command here; the other side sees its connection end.
func (s *session) kill() {
	_ = s.cmd.Process.Kill() // it may have ended
	_ = s.end()
}

// status is the exit status of a command that has ended.
func (s *session) status() int { return s.cmd.ProcessState.ExitCode() }

// ended says that the command is over, or could not be told anything any more.
func (s *session) ended() bool {
	select {
	case <-s.done:
		return true
	default:
		_, err := s.in.Write([]byte("\n"))
		return err != nil
	}
}

// early is end for output that stopped before it was complete: always an error.
func (s *session) early() error {
	if err := s.end(); err != nil {
		return err
	}
	return io.ErrUnexpectedEOF
}

// tail keeps the last lines of what is written to it, for an error.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if over := len(t.text) - 1000; over > 0 {
		t.text = t.text[over:]
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(strings.FieldsFunc(string(t.text), func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}
