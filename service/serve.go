package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
)

// Process is what [Serve] is given in place of the process's own.
type Process struct {
	Build   Build     // the zero value: what the linker and Go know of this program
	Environ []string  // "KEY=value"; what systemd hands over is in there as well
	Log     io.Writer // where the log goes; nil: nowhere
}

// Serve is [Run] for programs that are more than a service, and for tests. It
// serves until ctx is done or a part fails, and returns what failed, which is then not
// in the log. Signals, the memory limit and the environment stay the caller's. There may be
// many at the same time, as long as one of them at most is handed systemd's sockets.
func Serve[C any](ctx context.Context, p Process, setup func(s *Service, config C) error) error {
	s, err := load[C](p.Environ)
	if err != nil {
		return err
	}
	if p.Build == (Build{}) {
		p.Build = thisBuild()
	}
	if p.Log == nil {
		p.Log = io.Discard
	}
	var failed error
	l := newLife(ctx, process{
		environ: p.Environ, pid: os.Getpid(), stdout: io.Discard, stderr: p.Log,
		exit: func(int) {}, adopt: func(*slog.Logger, []string) {}, open: openHanded,
		failed: func(message string, err error) { failed = errors.Join(failed, fmt.Errorf("%s: %w", message, err)) },
	}, p.Build, s.standard, nil)
	defer l.end()
	l.serve(func(service *Service) error { return setup(service, s.config) })
	return failed
}

func openHanded(fd uintptr) *os.File { return os.NewFile(fd, "systemd") }
