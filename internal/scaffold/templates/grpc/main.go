// Command my-service answers over gRPC.
package main

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/kinectl/kinectl/internal/scaffold/templates/grpc/greeting"
	"github.com/kinectl/kinectl/service"
	"github.com/kinectl/kinectl/service/grpcserver"
)

// config comes from the environment; my-service --help shows it.
type config struct {
	GRPC     service.Address `env:"GRPC_ADDRESS" envDefault:":8080" help:"where it answers"`
	Greeting string          `env:"GREETING" envDefault:"hello" help:"first word of the answer"`
}

func main() { service.Run(setup) }

func setup(s *service.Service, c config) error {
	server := grpcserver.New(s)
	greeting.RegisterGreeterServer(server, greeter{word: c.Greeting})
	s.Listen("grpc", c.GRPC, server)
	return nil
}

// greeter is the service of greeting.proto.
type greeter struct {
	greeting.UnimplementedGreeterServer
	word string
}

func (g greeter) Greet(_ context.Context, r *greeting.GreetRequest) (*greeting.GreetResponse, error) {
	if len(r.GetName()) > 100 {
		return nil, status.Error(codes.InvalidArgument, "a name has at most 100 bytes")
	}
	return &greeting.GreetResponse{Text: g.word + ", " + r.GetName()}, nil
}
