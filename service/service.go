// Package service is the shell that makes every service the same: its
// configuration from the environment, its second port with metrics and health,
// its log, its life from start to an orderly stop under systemd. Start at [Run];
// the order of a life is in life.go.
package service

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// Service is what a program is made of. Its methods are for setup, and are not
// to be called at the same time or later, but where they say so.
type Service struct {
	build    Build
	log      *slog.Logger
	registry *prometheus.Registry
	requests *requestMetrics // made by the first HTTP
	stopping context.Context // done when the service is to stop

	listens   []listenPart
	workers   []task
	jobs      []task
	closers   []task
	reloaders []task
	ready     *readiness
	health    []*condition
}

// listenPart is a server and where it will listen.
type listenPart struct {
	name    string
	address Address
	server  Server
}

func newService(build Build, log *slog.Logger, runtimeDirectory string, stopping context.Context) *Service {
	return &Service{
		build: build, log: log, stopping: stopping,
		registry: newRegistry(build),
		ready:    &readiness{markers: drainMarkers(build.Name, runtimeDirectory), log: log},
	}
}

// Build may be called at any time.
func (s *Service) Build() Build { return s.build }

// Log is the service's log. It may be used at any time. Lines that are written with the
// context of a request have its id.
func (s *Service) Log() *slog.Logger { return s.log }

// Metrics is where the service's own metrics are registered; they are on the
// second port under /metrics.
func (s *Service) Metrics() prometheus.Registerer { return s.registry }

// Context is for what setup waits for, like the first connection to a
// database: it is done as soon as the service is asked to stop. Requests that are under way
// then need longer, so it is not for what serves them. It may be called at any time.
func (s *Service) Context() context.Context { return s.stopping }

// HTTP serves h. A [net/http.ServeMux] gives its patterns to the metrics as routes.
// A socket of systemd is used when it has this address, or the name "http".
// Settings change the server's own, such as the size of a header; its Handler, ErrorLog
// and ConnState are the shell's.
func (s *Service) HTTP(address Address, h http.Handler, settings ...func(*http.Server)) {
	if s.requests == nil {
		s.requests = newRequestMetrics(s.registry)
	}
	server := newHTTPServer(h, s.requests, s.log)
	for _, set := range settings {
		set(server.server)
	}
	s.Listen("http", address, server)
}

// Server is something that serves connections, like an adapter of a gRPC
// server. Serve returns when Shutdown or Close was called. The shell closes the
// listener before it calls Shutdown, so Serve then returns nil or an error that is
// net.ErrClosed. One with the methods Announce() and Connections() int is told beforehand that it
// stops, and has up to 300 ms before Shutdown, as long as its Connections are more than 0.
type Server interface {
	Serve(l net.Listener) error
	// Shutdown waits until what is under way is answered, or ctx is done.
	Shutdown(ctx context.Context) error
	// Close ends what is under way.
	Close() error
}

// Listen serves connections to an address with any kind of server. The name is
// for the log and errors; a socket of systemd is used when it has this address or
// this name (FileDescriptorName= in systemd.socket(5)).
func (s *Service) Listen(name string, address Address, server Server) {
	s.listens = append(s.listens, listenPart{name, address, server})
}

// Go adds a worker: it works until ctx is done, which is when the last request is
// answered, and then returns nil soon. An error, a panic, or a return before that, stops the service.
func (s *Service) Go(name string, work func(ctx context.Context) error) {
	s.workers = append(s.workers, task{name, work})
}

// Job adds work that is done once: when all jobs have returned nil, the service has ended. A
// service of jobs alone has no second port. A job that is stopped before it is
// done returns an error, such as that of its context, and the service's exit code is 1.
func (s *Service) Job(name string, work func(ctx context.Context) error) {
	s.jobs = append(s.jobs, task{name, work})
}

// OnClose adds what is done when every part has ended, the last one added
// first. It is done after a failed setup too.
func (s *Service) OnClose(name string, f func(ctx context.Context) error) {
	s.closers = append(s.closers, task{name, f})
}

// OnReady adds a condition of /ready. It is asked again and again, from many
// goroutines, with a context of a second.
func (s *Service) OnReady(name string, check func(ctx context.Context) error) {
	s.ready.checks = append(s.ready.checks, &condition{task: task{name, check}})
}

// OnHealth adds a condition of /health and of systemd's watchdog (WatchdogSec= in systemd.service(5)),
// asked as those of OnReady are. It is for what only a restart mends, like a loop of the
// service's own that is stuck, and not for a database that is away. It is not asked while the service stops.
func (s *Service) OnHealth(name string, check func(ctx context.Context) error) {
	s.health = append(s.health, &condition{task: task{name, check}})
}

// healthy is what /health answers. What is asked may be closed already when the service stops,
// which has limits of its own.
func (s *Service) healthy(ctx context.Context) error {
	if s.stopping.Err() != nil {
		return nil
	}
	return askAll(ctx, s.log, "healthy", s.health)
}

// Ready is what /ready answers: nil, or all that stands against new requests. It may be called
// at any time; a server of another kind tells its clients by it.
func (s *Service) Ready(ctx context.Context) error { return s.ready.ask(ctx) }

// OnReload adds what a SIGHUP does, in the order of the calls. A failure is logged, and the
// service goes on. ctx is done after 30 seconds, or when the service is to stop; what has not
// ended then is not waited for, and is not begun again before it has.
func (s *Service) OnReload(name string, f func(ctx context.Context) error) {
	var under sync.Mutex
	s.reloaders = append(s.reloaders, task{name, func(ctx context.Context) error {
		if !under.TryLock() {
			return errors.New("the one before has not ended")
		}
		defer under.Unlock()
		return f(ctx)
	}})
}
