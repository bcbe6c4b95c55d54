package grpcserver

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

// watchInterval is how often the readiness is looked at for those who watch it.
const watchInterval = time.Second

// health is the service grpc.health.v1 (github.com/grpc/grpc, doc/health-checking.md).
// All services of a server are as ready as the whole is, which is called "". gRPC's own
// implementation is told the state and never ends a Watch, which a stop would have to wait for.
type health struct {
	healthpb.UnimplementedHealthServer
	ready    func(context.Context) error
	services func() map[string]grpc.ServiceInfo
	stopping <-chan struct{}
}

func (h *health) Check(ctx context.Context, r *healthpb.HealthCheckRequest) (*healthpb.HealthCheckResponse, error) {
	if !h.known(r.GetService()) {
		return nil, status.Error(codes.NotFound, "unknown service")
	}
	return &healthpb.HealthCheckResponse{Status: h.status(ctx)}, nil
}

func (h *health) List(ctx context.Context, _ *healthpb.HealthListRequest) (*healthpb.HealthListResponse, error) {
	now := h.status(ctx)
	all := map[string]*healthpb.HealthCheckResponse{"": {Status: now}}
	for name := range h.services() {
		all[name] = &healthpb.HealthCheckResponse{Status: now}
	}
	return &healthpb.HealthListResponse{Statuses: all}, nil
}

// Watch sends the state at once, and then each other one, until the client or
// the service has had enough.
func (h *health) Watch(r *healthpb.HealthCheckRequest, stream grpc.ServerStreamingServer[healthpb.HealthCheckResponse]) error {
	ctx := stream.Context()
	again := time.NewTicker(watchInterval)
	defer again.Stop()
	sent := healthpb.HealthCheckResponse_ServingStatus(-1)
	for {
		now := healthpb.HealthCheckResponse_SERVICE_UNKNOWN
		if h.known(r.GetService()) {
			now = h.status(ctx)
		}
		if now != sent {
			if err := stream.Send(&healthpb.HealthCheckResponse{Status: now}); err != nil {
				return err
			}
			sent = now
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return status.FromContextError(ctx.Err()).Err()
		case <-h.stopping:
			if sent == healthpb.HealthCheckResponse_SERVING {
				if err := stream.Send(&healthpb.HealthCheckResponse{Status: healthpb.HealthCheckResponse_NOT_SERVING}); err != nil {
					return err
				}
			}
			return status.Error(codes.Unavailable, "the service stops")
		}
	}
}

func (h *health) known(service string) bool {
	_, found := h.services()[service]
	return found || service == ""
}

func (h *health) status(ctx context.Context) healthpb.HealthCheckResponse_ServingStatus {
	select {
	case <-h.stopping:
		return healthpb.HealthCheckResponse_NOT_SERVING
	default:
	}
	if h.ready(ctx) != nil {
		return healthpb.HealthCheckResponse_NOT_SERVING
	}
	return healthpb.HealthCheckResponse_SERVING
}
