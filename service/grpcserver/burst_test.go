package grpcserver

import (
	"context"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	pb "google.golang.org/grpc/interop/grpc_testing"
)

// gracefulStopAlone is a process that stops as gRPC offers it: the listener is closed,
// Serve returns, GracefulStop.
func gracefulStopAlone() {
	l, err := net.FileListener(os.NewFile(3, "socket"))
	if err != nil {
		panic(err)
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	server := newServer(newFakeShell(), nil)
	pb.RegisterTestServiceServer(server, slow{log: slog.New(slog.DiscardHandler).InfoContext})
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	_, _ = os.Stderr.WriteString("msg=ready\n")
	<-signals
	_ = l.Close()
	<-served
	server.GracefulStop()
	os.Exit(0)
}

// TestBursts has new clients at the very moment of each stop, which ends connections that were
// accepted and not read. None fails; with GracefulStop alone, the control, some do.
func TestBursts(t *testing.T) {
	f := func(stop string, most int) (answered, failed int64, fault any) {
		t.Helper()
		l := held(t)
		address := "passthrough:///" + l.Addr().String()
		cmd, log := process(t, l, "GRPCSERVER_TEST="+stop, "GORACE=atexit_sleep_ms=0")
		log.until(t, "msg=ready")
		b := &burst{}
		for range most {
			if b.failed.Load() > 0 {
				break
			}
			b.start(address)
			time.Sleep(6 * time.Millisecond) // in the middle of them
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err != nil {
				t.Errorf("it ended with %v", err)
			}
			cmd, log = process(t, l, "GRPCSERVER_TEST="+stop, "GORACE=atexit_sleep_ms=0")
			log.until(t, "msg=ready")
			b.wg.Wait()
		}
		// A machine that is that slow has shown nothing, and the test must not pass for it.
		// The control needs one that is lost, and ends with it.
		if late, all := b.late.Load(), b.late.Load()+b.answered.Load()+b.failed.Load(); stop == "service" && late > all/10 {
			t.Errorf("%s: %d of %d clients were too late to count", stop, late, all)
		}
		t.Logf("%s: %d answered, %d failed: %v; %d too late to count", stop, b.answered.Load(), b.failed.Load(), b.err.Load(), b.late.Load())
		return b.answered.Load(), b.failed.Load(), b.err.Load()
	}
	if answered, failed, fault := f("service", 15); failed > 0 || answered == 0 {
		t.Errorf("%d answered, %d failed: %v", answered, failed, fault)
	}
	if _, failed, _ := f("graceful stop", 60); failed == 0 {
		t.Error("GracefulStop alone has lost nothing: the test proves nothing")
	}
}

// moment is what the service gives a client from its connection to its first
// word. On a machine with much else to do a client may take longer, and lose; it
// proves nothing.
const moment = 300 * time.Millisecond

// burst is clients that call once each.
type burst struct {
	answered, failed atomic.Int64
	late             atomic.Int64 // failed, after more than a moment
	err              atomic.Value
	wg               sync.WaitGroup
}

// start begins a client every half of a millisecond.
func (b *burst) start(address string) {
	for n := range 24 {
		b.wg.Go(func() {
			time.Sleep(time.Duration(n) * time.Millisecond / 2)
			start := time.Now()
			switch err := ask(address); {
			case err == nil:
				b.answered.Add(1)
			case time.Since(start) > moment:
				b.late.Add(1)
			default:
				b.failed.Add(1)
				b.err.Store(err.Error())
			}
		})
	}
}

func ask(address string) error {
	ctx, cancel := context.WithTimeout(context.Background(), long)
	defer cancel()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = pb.NewTestServiceClient(conn).UnaryCall(ctx, request(""))
	return err
}
