package service

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// The tests of this file restart real processes under load, with a socket that
// the test holds as systemd does. A process is this test's binary again, as TestChild.

// TestChild is the server. How it stops is in SERVICE_TEST_STOP.
func TestChild(t *testing.T) {
	stop := os.Getenv("SERVICE_TEST_STOP")
	switch stop {
	case "": // not a child: nothing to test
	case "ordered", "plain":
		os.Args = os.Args[:1] // the arguments are those of the test
		Run(func(s *Service, c struct {
			Address Address `env:"HTTP_ADDRESS"`
		},
		) error {
			s.HTTP(c.Address, http.HandlerFunc(work))
			s.Go("ready", func(ctx context.Context) error {
				fmt.Println("ready")
				<-ctx.Done()
				return nil
			})
			return nil
		})
	default:
		stopOtherwise(t, stop)
	}
}

// work answers GET and POST in up to 4 ms.
func work(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	time.Sleep(rand.N(4 * time.Millisecond))
	fmt.Fprintf(w, "%s %s", r.Method, body)
}

// stopOtherwise is a server that does not end as the shell does.
func stopOtherwise(t *testing.T, stop string) {
	listener, err := net.FileListener(os.NewFile(3, "socket"))
	if err != nil {
		t.Fatal(err)
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	server := newHTTPServer(http.HandlerFunc(work), newRequestMetrics(prometheus.NewRegistry()), slog.New(slog.DiscardHandler))
	s := serve("http", listener, server)
	fmt.Println("ready")
	<-signals
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	switch stop {
	case "eager":
		server.server.SetKeepAlivesEnabled(false)
		err = drain(ctx, drainPause, []*serving{s})
	case "naive":
		err = server.server.Shutdown(ctx)
	case "cut":
		err = server.Close()
	}
	if err != nil {
		t.Error(err)
	}
}

// child is a server of TestChild that has the socket.
func child(t *testing.T, stop string, socket *os.File) (terminate func()) {
	t.Helper()
	// systemd knows the pid beforehand; here a shell becomes the server.
	c := exec.Command("/bin/sh", "-c", `LISTEN_PID=$$ exec "$0" -test.run='^TestChild$'`, os.Args[0])
	c.Env = append(os.Environ(), "SERVICE_TEST_STOP="+stop, "GORACE=atexit_sleep_ms=0", "METRICS_ADDRESS=off")
	if stop != "plain" {
		c.Env = append(c.Env, "LISTEN_FDS=1", "LISTEN_FDNAMES=http")
		c.ExtraFiles = []*os.File{socket}
	}
	var faults bytes.Buffer
	c.Stderr = &faults
	output, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(output)
	if line, err := lines.ReadString('\n'); line != "ready\n" {
		t.Fatalf("the server: %q, %v\n%s", line, err, &faults)
	}
	return func() {
		t.Helper()
		_ = c.Process.Signal(syscall.SIGTERM)
		rest, _ := io.ReadAll(lines)
		if err := c.Wait(); err != nil {
			t.Errorf("the server: %v\n%s%s", err, rest, &faults)
		}
	}
}

// TestRestartsLoseNothing has no failed request, of any kind of client.
func TestRestartsLoseNothing(t *testing.T) {
	load := restarts(t, "ordered", 5, func(*traffic) bool { return false })
	for kind, c := range load.counts {
		t.Logf("%-22s %6d answered, %d failed", kind, c.answered.Load(), c.failed.Load())
		if c.answered.Load() < 50 || c.failed.Load() != 0 {
			t.Errorf("%s: %d answered, %d failed: %v", kind, c.answered.Load(), c.failed.Load(), c.err.Load())
		}
	}
}

// TestOtherOrdersLose are the controls: each must fail, or the test above would
// prove nothing, for every kind of client that it can fail for.
//
// HTTP/2 has none of the losses of naive and eager: GOAWAY names the last request that the
// server takes (RFC 9113, 6.8), and net/http's client sends those after it again by itself, as it does
// those of a connection that ended before the server's hello. What cut and
// plain lose shows that its failures are seen. Nor can eager lose a request on a new connection, as drain waits for it.
func TestOtherOrdersLose(t *testing.T) {
	f := func(stop string, kinds ...string) {
		t.Helper()
		lacks := func(l *traffic) []string {
			return slices.DeleteFunc(slices.Clone(kinds), func(kind string) bool { return l.failed(kind) > 0 })
		}
		load := restarts(t, stop, 60, func(l *traffic) bool { return len(lacks(l)) == 0 })
		if kinds := lacks(load); len(kinds) > 0 {
			t.Errorf("%s has lost nothing in 60 restarts for %q", stop, kinds)
		}
		for kind, c := range load.counts {
			t.Logf("%-6s %-22s %6d answered, %d failed: %v", stop, kind, c.answered.Load(), c.failed.Load(), c.err.Load())
		}
	}
	all := []string{
		"HTTP/1.1 GET keep-alive", "HTTP/1.1 POST keep-alive", "HTTP/1.1 GET close", "HTTP/1.1 POST close",
		"HTTP/2 GET", "HTTP/2 POST", "HTTP/2 GET close", "HTTP/2 POST close",
	}
	f("naive", "HTTP/1.1 GET keep-alive", "HTTP/1.1 POST keep-alive", "HTTP/1.1 * close") // Shutdown alone
	f("eager", "HTTP/1.1 GET keep-alive", "HTTP/1.1 POST keep-alive")                     // SetKeepAlivesEnabled(false), which closes idle connections at once
	f("plain", all...)                                                                    // a socket that nobody else holds
	f("cut", all...)                                                                      // Close at once
}

// restarts runs clients of all kinds while the server is restarted, most times
// or until enough.
func restarts(t *testing.T, stop string, most int, enough func(*traffic) bool) *traffic {
	t.Helper()
	held, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	socket, err := held.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	if stop == "plain" {
		held.Close()
		socket.Close()
		t.Setenv("HTTP_ADDRESS", held.Addr().String())
	}

	terminate := child(t, stop, socket)
	l := startLoad(held.Addr().String())
	for range most {
		before, least := l.answered(), l.least()
		for end := time.Now().Add(20 * time.Second); (l.answered() < before+300 || l.least() < least+10) && time.Now().Before(end); {
			time.Sleep(10 * time.Millisecond)
		}
		terminate()
		terminate = child(t, stop, socket)
		if enough(l) {
			break
		}
	}
	l.finish()
	terminate()
	return l
}
