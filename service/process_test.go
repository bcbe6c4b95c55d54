package service

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The tests of this file run Run in real processes: this test's binary again, as TestShell.

type shellConfig struct {
	HTTP  Address `env:"HTTP_ADDRESS"`
	Token Secret  `env:"TOKEN"`
	Deaf  bool    `env:"DEAF"`
}

// TestShell is the process.
func TestShell(t *testing.T) {
	if os.Getenv("SERVICE_TEST_SHELL") == "" {
		return // not a process of its own: nothing to test
	}
	os.Args = os.Args[:1]
	Run(func(s *Service, c shellConfig) error {
		early := inherited()
		s.HTTP(c.HTTP, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.Log().Info("asked", "path", r.URL.Path)
			fmt.Fprintf(w, "token %q in the environment %q, sockets %q, inherited %v, limit %d, processors %d",
				c.Token.Reveal(), os.Getenv("TOKEN"), os.Getenv("LISTEN_FDS"), append(early, inherited()...), debug.SetMemoryLimit(-1), runtime.GOMAXPROCS(0))
		}))
		if c.Deaf {
			s.Go("deaf", func(context.Context) error { select {} })
		}
		return nil
	})
}

// inherited are the descriptors that a program would have that this process starts.
func inherited() []int {
	var all []int
	for fd := firstHanded; fd < firstHanded+5; fd++ {
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			all = append(all, fd)
		}
	}
	return all
}

type shellProcess struct {
	*exec.Cmd
	log     bytes.Buffer
	systemd net.PacketConn
}

// startShell starts the process as systemd does, with the sockets, and waits for READY=1.
func startShell(t *testing.T, sockets []*os.File, environ ...string) *shellProcess {
	t.Helper()
	return startShellAfter(t, "", sockets, environ...)
}

// startShellAfter has the process do something before it becomes the service.
func startShellAfter(t *testing.T, before string, sockets []*os.File, environ ...string) *shellProcess {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	notify := t.TempDir() + "/notify"
	systemd, err := net.ListenPacket("unixgram", notify)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = systemd.Close() })
	// The shell's process becomes the program, so that its id is known before.
	p := &shellProcess{Cmd: exec.Command("sh", "-c", before+` LISTEN_PID=$$ exec "$0" -test.run='^TestShell$'`, program), systemd: systemd}
	p.Env = append(os.Environ(), append([]string{"SERVICE_TEST_SHELL=1", "NOTIFY_SOCKET=" + notify, "METRICS_ADDRESS=off", fmt.Sprintf("LISTEN_FDS=%d", len(sockets))}, environ...)...)
	p.ExtraFiles, p.Stderr = sockets, &p.log
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Process.Kill(); _ = p.Wait() })
	p.told(t, "READY=1")
	return p
}

func (p *shellProcess) told(t *testing.T, want string) {
	t.Helper()
	if err := p.systemd.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	message := make([]byte, 200)
	n, _, err := p.systemd.ReadFrom(message)
	if err != nil {
		_ = p.Process.Kill()
		_ = p.Wait()
		t.Fatalf("waiting for %s: %v; log:\n%s", want, err, p.log.String())
	}
	if got := string(message[:n]); got != want {
		t.Fatalf("told %q, want %q", got, want)
	}
}

func (p *shellProcess) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := p.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

func (p *shellProcess) exits(t *testing.T, code int) {
	t.Helper()
	limit := time.AfterFunc(patience, func() { _ = p.Process.Kill() })
	defer limit.Stop()
	_ = p.Wait()
	if got := p.ProcessState.ExitCode(); got != code {
		t.Errorf("exit code %d, want %d; log:\n%s", got, code, p.log.String())
	}
}

func socketFile(t *testing.T, l net.Listener) *os.File {
	t.Helper()
	f, err := l.(interface{ File() (*os.File, error) }).File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func TestHandedOver(t *testing.T) {
	held, spare := listening(t, "tcp", "127.0.0.1:0"), listening(t, "tcp", "127.0.0.1:0")
	datagrams, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer datagrams.Close()
	odd, err := datagrams.(*net.UDPConn).File()
	if err != nil {
		t.Fatal(err)
	}
	defer odd.Close()
	sockets := []*os.File{socketFile(t, spare), odd, socketFile(t, held)}
	for _, by := range []string{"HTTP_ADDRESS=" + held.Addr().String() + "|LISTEN_FDNAMES=films.socket:films.socket:films.socket", "HTTP_ADDRESS=127.0.0.1:1|LISTEN_FDNAMES=spare:odd:http"} {
		p := startShell(t, sockets, strings.Split(by, "|")...)
		if _, body := get(t, "http://"+held.Addr().String()); !strings.Contains(body, `sockets "", inherited [],`) {
			t.Errorf("answer %q", body)
		}
		p.signal(t, syscall.SIGTERM)
		p.told(t, "STOPPING=1")
		p.exits(t, 0)
		for _, want := range []string{"a socket of systemd is not used", spare.Addr().String(), "take socket 4"} {
			if !strings.Contains(p.log.String(), want) {
				t.Errorf("%q is not in the log:\n%s", want, p.log.String())
			}
		}
	}
	// The sockets outlive the process that they were handed to: the next is asked without a refusal.
	conn, err := net.Dial("tcp", held.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
}

func TestProcess(t *testing.T) {
	address := listening(t, "tcp", "127.0.0.1:0")
	p := startShell(t, []*os.File{socketFile(t, address)}, "HTTP_ADDRESS="+address.Addr().String(), "TOKEN=hunter2", "GOMEMLIMIT=100MiB", "GOMAXPROCS=3")
	if _, body := get(t, "http://"+address.Addr().String()); body != `token "hunter2" in the environment "", sockets "", inherited [], limit 104857600, processors 3` {
		t.Errorf("answer %q", body)
	}
	p.signal(t, syscall.SIGINT)
	p.exits(t, 0)
	if strings.Contains(p.log.String(), "hunter2") {
		t.Error("the token shows in the log")
	}
}

func TestSecondSignalKills(t *testing.T) {
	f := func(second syscall.Signal, code int) {
		t.Helper()
		p := startShell(t, nil, "HTTP_ADDRESS=127.0.0.1:0", "DEAF=true")
		p.signal(t, syscall.SIGTERM)
		p.told(t, "STOPPING=1")
		start := time.Now()
		p.signal(t, second)
		p.exits(t, code)
		if took := time.Since(start); took > 10*time.Second { // SHUTDOWN_TIMEOUT is 20 s
			t.Errorf("it took %s", took)
		}
	}
	f(syscall.SIGTERM, 143)
	f(syscall.SIGINT, 130)
}

// TestLogNobodyReads is the service whose journal has crashed, with the signal ignored as systemd
// has it or not.
func TestLogNobodyReads(t *testing.T) {
	f := func(before string) {
		t.Helper()
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		held := listening(t, "tcp", "127.0.0.1:0")
		p := startShellAfter(t, before+" exec >&4 2>&4 4>&-;", []*os.File{socketFile(t, held), w}, "LISTEN_FDS=1", "HTTP_ADDRESS="+held.Addr().String())
		_, _ = w.Close(), r.Close()
		for range 3 {
			if code, _ := get(t, "http://"+held.Addr().String()); code != http.StatusOK {
				t.Errorf("status %d", code)
			}
		}
		p.signal(t, syscall.SIGTERM)
		p.told(t, "STOPPING=1")
		p.exits(t, 0)
	}
	f("")
	f("trap '' PIPE;")
}

// TestJournal gives the process a log that is systemd's, by its own word.
func TestJournal(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var stat syscall.Stat_t
	if err := syscall.Fstat(int(w.Fd()), &stat); err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-test.run=^TestShell$")
	cmd.Env = append(os.Environ(), "SERVICE_TEST_SHELL=1", "HTTP_ADDRESS=nonsense", fmt.Sprintf("JOURNAL_STREAM=%d:%d", stat.Dev, stat.Ino))
	cmd.Stderr = w
	_ = cmd.Run()
	_ = w.Close()
	var log bytes.Buffer
	if _, err := log.ReadFrom(r); err != nil {
		t.Fatal(err)
	}
	if cmd.ProcessState.ExitCode() != 2 || !strings.HasPrefix(log.String(), "<3>") || !strings.Contains(log.String(), ": HTTP_ADDRESS: ") {
		t.Errorf("exit code %d, log %q", cmd.ProcessState.ExitCode(), log.String())
	}
}
