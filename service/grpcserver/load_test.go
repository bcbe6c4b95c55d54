package grpcserver

import (
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	pb "google.golang.org/grpc/interop/grpc_testing"
)

// load is clients that call until they are stopped: some keep their
// connection, some have a new one for each call.
type load struct {
	answered, failed atomic.Int64
	err              atomic.Value
	stop             chan struct{}
	wg               sync.WaitGroup
}

func startLoad(t *testing.T, address string) *load {
	t.Helper()
	l := &load{stop: make(chan struct{})}
	for n := range 8 {
		kept := dial(t, address)
		l.wg.Go(func() {
			for {
				select {
				case <-l.stop:
					return
				default:
				}
				if err := callOnce(kept, address, n%2 == 0, n >= 4); err != nil {
					l.failed.Add(1)
					l.err.Store(err.Error())
				} else {
					l.answered.Add(1)
				}
			}
		})
	}
	t.Cleanup(l.finish)
	return l
}

func (l *load) finish() {
	select {
	case <-l.stop:
	default:
		close(l.stop)
	}
	l.wg.Wait()
}

func callOnce(kept *grpc.ClientConn, address string, unary, fresh bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), long)
	defer cancel()
	if fresh {
		conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			return err
		}
		defer conn.Close()
		kept = conn
	}
	client := pb.NewTestServiceClient(kept)
	if unary {
		_, err := client.UnaryCall(ctx, request(""))
		return err
	}
	stream, err := client.StreamingOutputCall(ctx, &pb.StreamingOutputCallRequest{})
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		switch _, err := stream.Recv(); {
		case err == io.EOF && n == 3:
			return nil
		case err != nil:
			return fmt.Errorf("after %d answers: %w", n, err)
		}
	}
}

func dial(t *testing.T, address string) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}
