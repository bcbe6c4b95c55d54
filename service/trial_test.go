package service

import (
	"bytes"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// trial is a service that runs within the test, with a systemd that the test plays.
type trial struct {
	t        *testing.T
	out, log lockedBuffer
	signals  chan os.Signal
	code     chan int
	killed   chan int // what it has ended itself with
	systemd  net.PacketConn
	away     []string
	done     bool
}

// patience is for what must happen soon on a machine that is busy.
const patience = 20 * time.Second

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

type none struct{}

// begin runs a service with variables like "A=b". No goroutine of it may be left at the
// end of the test.
func begin[C any](t *testing.T, args, environ []string, setup func(*Service, C) error, commands ...Command[C]) *trial {
	t.Helper()
	before := goleak.IgnoreCurrent()
	socket := filepath.Join(t.TempDir(), "notify")
	systemd, err := net.ListenPacket("unixgram", socket)
	if err != nil {
		t.Fatal(err)
	}
	r := &trial{t: t, signals: make(chan os.Signal, 8), code: make(chan int, 1), killed: make(chan int, 8), systemd: systemd}
	environ = append([]string{"METRICS_ADDRESS=127.0.0.1:0", "NOTIFY_SOCKET=" + socket, "LOG_LEVEL=debug"}, environ...)
	go func() {
		r.code <- run(t.Context(), process{
			args: args, environ: environ, pid: os.Getpid(), stdout: &r.out, stderr: &r.log, signals: r.signals,
			open:  func(fd uintptr) *os.File { return os.NewFile(fd, "systemd") },
			exit:  func(code int) { r.killed <- code },
			adopt: func(_ *slog.Logger, away []string) { r.away = away },
		}, setup, commands)
	}()
	t.Cleanup(func() {
		if !r.done {
			t.Error("the service has not ended")
			r.signals <- os.Interrupt
			<-r.code
		}
		_ = systemd.Close()
		if err := goleak.Find(before); err != nil {
			t.Error(err)
		}
	})
	return r
}

// told waits for what the service tells systemd next.
func (r *trial) told(want ...string) {
	r.t.Helper()
	for _, w := range want {
		if err := r.systemd.SetReadDeadline(time.Now().Add(patience)); err != nil {
			r.t.Fatal(err)
		}
		message := make([]byte, 500)
		n, _, err := r.systemd.ReadFrom(message)
		if err != nil {
			r.t.Fatalf("waiting for %q: %v; log:\n%s", w, err, r.log.String())
		}
		if got := string(message[:n]); !regexp.MustCompile("^(?:" + w + ")$").MatchString(got) {
			r.t.Fatalf("told %q, want %q", got, w)
		}
	}
}

// address waits until a part listens.
func (r *trial) address(part string) string {
	r.t.Helper()
	said := regexp.MustCompile(`msg=listening part=` + part + ` address=(\S+)`)
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if m := said.FindStringSubmatch(r.log.String()); m != nil {
			return m[1]
		}
	}
	r.t.Fatalf("%s does not listen; log:\n%s", part, r.log.String())
	return ""
}

// exits waits for the end.
func (r *trial) exits(code int) {
	r.t.Helper()
	select {
	case got := <-r.code:
		r.done = true
		if got != code {
			r.t.Errorf("exit code %d, want %d; log:\n%s", got, code, r.log.String())
		}
	case <-time.After(patience):
		r.t.Fatalf("it does not end; log:\n%s", r.log.String())
	}
}

// logged checks that words are in the log, in this order.
func (r *trial) logged(words ...string) {
	r.t.Helper()
	rest := r.log.String()
	for _, w := range words {
		_, after, found := strings.Cut(rest, w)
		if !found {
			r.t.Errorf("%q is not in the log, or not where it should:\n%s", w, r.log.String())
			return
		}
		rest = after
	}
}
