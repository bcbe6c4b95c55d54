package grpcserver

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"

	"github.com/kinectl/kinectl/service"
)

// TestMain is the services too that tests start as a process.
func TestMain(m *testing.M) {
	switch os.Getenv("GRPCSERVER_TEST") {
	case "service":
		service.Run(setup)
	case "graceful stop":
		gracefulStopAlone()
	}
	os.Exit(m.Run())
}

type config struct {
	Address service.Address `env:"GRPC_ADDRESS,required"`
}

func setup(s *service.Service, c config) error {
	server := New(s)
	pb.RegisterTestServiceServer(server, slow{log: s.Log().InfoContext})
	s.Listen("grpc", c.Address, server)
	return nil
}

// slow takes a moment for each call, so that a stop finds some under way.
type slow struct {
	pb.UnimplementedTestServiceServer
	log func(ctx context.Context, msg string, args ...any)
}

func (s slow) UnaryCall(ctx context.Context, r *pb.SimpleRequest) (*pb.SimpleResponse, error) {
	if string(r.GetPayload().GetBody()) == "panic" {
		panic("secret thoughts")
	}
	s.log(ctx, "asked")
	time.Sleep(5 * time.Millisecond)
	return &pb.SimpleResponse{Username: "answered"}, nil
}

func (s slow) StreamingOutputCall(_ *pb.StreamingOutputCallRequest, stream pb.TestService_StreamingOutputCallServer) error {
	for range 3 {
		time.Sleep(2 * time.Millisecond)
		if err := stream.Send(&pb.StreamingOutputCallResponse{}); err != nil {
			return err
		}
	}
	return nil
}

// process starts the service on a listener that it is handed as systemd does
// (sd_listen_fds(3)), and which is held by the test too.
func process(t *testing.T, l net.Listener, env ...string) (*exec.Cmd, *safeBuffer) {
	t.Helper()
	socket, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", `LISTEN_PID=$$ exec "$0"`, self)
	log := &safeBuffer{}
	cmd.Stderr, cmd.ExtraFiles = log, []*os.File{socket}
	cmd.Env = append(os.Environ(), "GRPCSERVER_TEST=service", "LISTEN_FDS=1", "GRPC_ADDRESS="+l.Addr().String(), "METRICS_ADDRESS=off")
	cmd.Env = append(cmd.Env, env...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%.3000s", log)
		}
	})
	return cmd, log
}

// until waits for a line of the log.
func (b *safeBuffer) until(t *testing.T, like string) []string {
	t.Helper()
	line := regexp.MustCompile(like)
	for end := time.Now().Add(long); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if found := line.FindStringSubmatch(b.String()); found != nil {
			return found
		}
	}
	t.Fatalf("no line like %q in\n%s", like, b)
	return nil
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func held(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// TestRestart restarts the service under load, as systemd does with a socket
// of its own: no call fails. The control kills it instead, and calls fail.
func TestRestart(t *testing.T) {
	restarts := func(signal syscall.Signal) *load {
		l := held(t)
		cmd, log := process(t, l)
		log.until(t, "msg=ready")
		load := startLoad(t, l.Addr().String())
		for range 4 {
			more := load.answered.Load() + 150
			for end := time.Now().Add(long); load.answered.Load() < more; time.Sleep(time.Millisecond) {
				if time.Now().After(end) {
					t.Fatalf("no answers: %v\n%s", load.err.Load(), log)
				}
			}
			if err := cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); (err == nil) != (signal == syscall.SIGTERM) {
				t.Errorf("it ended with %v", err)
			}
			cmd, log = process(t, l)
			log.until(t, "msg=ready")
		}
		load.finish()
		return load
	}
	if l := restarts(syscall.SIGTERM); l.failed.Load() > 0 {
		t.Errorf("%d of %d calls failed, the last with %v", l.failed.Load(), l.failed.Load()+l.answered.Load(), l.err.Load())
	} else {
		t.Logf("%d calls in 4 restarts, none failed", l.answered.Load())
	}
	if l := restarts(syscall.SIGKILL); l.failed.Load() == 0 {
		t.Errorf("none of %d calls failed though the service was killed: the test proves nothing", l.answered.Load())
	} else {
		t.Logf("control: %d of %d calls failed", l.failed.Load(), l.failed.Load()+l.answered.Load())
	}
}

// TestInService holds that a gRPC server is a part of its service: the log has
// the call's id, the second port its metrics, and the health service says what /ready does.
func TestInService(t *testing.T) {
	l, marker := held(t), t.TempDir()
	cmd, log := process(t, l, "METRICS_ADDRESS=127.0.0.1:0", "RUNTIME_DIRECTORY="+marker)
	log.until(t, "msg=ready")
	operation := log.until(t, `part=metrics address=(\S+)`)[1]
	conn := dial(t, l.Addr().String())
	client := pb.NewTestServiceClient(conn)

	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	ctx := metadata.AppendToOutgoingContext(t.Context(), "x-request-id", "call-1", "traceparent", "00-"+trace+"-00f067aa0ba902b7-01")
	if _, err := client.UnaryCall(ctx, request("")); err != nil {
		t.Fatal(err)
	}
	log.until(t, `msg=asked.*request_id=call-1 trace_id=`+trace)
	if _, err := client.UnaryCall(ctx, request("panic")); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("a panic is answered with %v", err)
	}
	log.until(t, `msg="handler panicked" panic="secret thoughts" .*request_id=call-1`)
	get := func(path string) string {
		t.Helper()
		answer, err := http.Get("http://" + operation + path)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.Status + "\n" + string(body)
	}
	for _, want := range []string{
		`grpc_server_handling_seconds_count{code="OK",method="/grpc.testing.TestService/UnaryCall"} 1`,
		`grpc_server_handling_seconds_count{code="Internal",method="/grpc.testing.TestService/UnaryCall"} 1`,
		"grpc_server_panics_total 1", "grpc_server_calls_in_flight 0", "build_info{",
	} {
		if body := get("/metrics"); !strings.Contains(body, want) {
			t.Errorf("/metrics lacks %q", want)
		}
	}

	f := func(want healthpb.HealthCheckResponse_ServingStatus, ready string) {
		t.Helper()
		got, err := healthpb.NewHealthClient(conn).Check(t.Context(), &healthpb.HealthCheckRequest{})
		if err != nil || got.GetStatus() != want {
			t.Errorf("health: %v, %v, want %v", got, err, want)
		}
		if status := get("/ready"); !strings.HasPrefix(status, ready) {
			t.Errorf("/ready: %q, want %s", status, ready)
		}
	}
	f(healthpb.HealthCheckResponse_SERVING, "200")
	if err := os.WriteFile(marker+"/drain", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	f(healthpb.HealthCheckResponse_NOT_SERVING, "503")

	// Who watches does not delay the stop.
	watch, err := healthpb.NewHealthClient(conn).Watch(t.Context(), &healthpb.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := watch.Recv(); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("the stop took %v, of 20s at most", took)
	}
}
