// Package server offers the directory of a package repository over HTTP: to
// apt and dnf, which check the signatures themselves, so plain HTTP is enough.
//
// Start at [Handler], which answers for the files of one directory, and at
// [Add], which makes that a part of a service: with limits against slow and
// silent clients, a log of requests, and metrics.
package server

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/kinectl/kinectl/service"
)

// Options are what [Add] may be told. The zero value serves, without a line for
// each request.
type Options struct {
	Log    bool // a line a request in the service's log
	Limits Limits
	// Listening is called once, when clients can connect, with the address that
	// they can connect to. nil: nobody wants to know.
	Listening func(net.Addr)
}

// Limits bound what a client may cost. A field that is zero has its default.
type Limits struct {
	Header time.Duration // to send the header of a request: 10 s
	Idle   time.Duration // between two requests of one connection: 2 min
	// In each Window (30 s) of an answer a client takes at least Rate (1000)
	// bytes a second, or it is cut off. What the kernel buffers counts as taken.
	Window time.Duration
	Rate   int64
	Silent time.Duration // without a sign that the other end is there: 1 min
	Bytes  int           // of the header of a request: 16 KiB, and 4 more that net/http adds
}

func (l Limits) orDefaults() Limits {
	either := func(d *time.Duration, otherwise time.Duration) {
		if *d == 0 {
			*d = otherwise
		}
	}
	either(&l.Header, 10*time.Second)
	either(&l.Idle, 2*time.Minute)
	either(&l.Window, 30*time.Second)
	either(&l.Silent, time.Minute)
	if l.Rate == 0 {
		l.Rate = 1000
	}
	if l.Bytes == 0 {
		l.Bytes = 16 << 10
	}
	return l
}

// Add makes s serve files on address. It is ready as long as the repository can
// be read. Routes of the service's metrics are the kinds of file. It is for the setup
// of s; the caller closes files when s has ended (see [service.Service.OnClose]).
func Add(s *service.Service, address service.Address, files *Files, o Options) {
	limits := o.Limits.orDefaults()
	seen := newMetrics()
	s.Metrics().MustRegister(seen, newSuiteMetrics(files.root.FS()))
	s.OnReady("repository", func(context.Context) error { return files.check() })
	var log logger
	if o.Log {
		log = s.Log()
	}
	s.HTTP(address, observe(files, limits, seen, log), limits.set, func(server *http.Server) {
		server.BaseContext = func(l net.Listener) context.Context {
			if o.Listening != nil {
				o.Listening(l.Addr())
			}
			return context.Background()
		}
	})
}

// set makes the shell's server keep the limits. Without HTTP/2, which no client
// of a repository begins with: it knows no sendfile.
func (l Limits) set(server *http.Server) {
	server.ReadHeaderTimeout = l.Header
	server.IdleTimeout = l.Idle
	server.WriteTimeout = l.Window // moved along by pace
	server.MaxHeaderBytes = l.Bytes
	server.ConnContext = connContext(l.Silent)
	server.Protocols = new(http.Protocols)
	server.Protocols.SetHTTP1(true)
}
