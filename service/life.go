package service

import (
	"context"
	"errors"
	"log/slog"
	"syscall"
	"time"
)

// life is one run of a service: set up, listen, serve, READY, wait, stop, close.
type life struct {
	process
	service  *Service
	standard standard
	level    *slog.LevelVar
	notifier notifier

	stop    context.CancelFunc // of service.stopping
	reloads chan struct{}      // one is enough: a second SIGHUP during a reload asks for one more
	beat    chan struct{}      // of the watchdog; wait takes it
	over    chan struct{}      // closed by end

	reloading bool          // a reload is under way
	reloaded  chan struct{} // it has ended

	servings  []*serving
	operation *serving   // nil without one
	ends      chan ended // of every part, once each
	running   int        // tasks that have not ended
	jobs      int        // of them, jobs
	release   context.CancelFunc
	limit     time.Time // of the stop
	code      int
}

// ended tells that a part has ended.
type ended struct {
	task
	err    error
	server bool
	job    bool
}

func newLife(ctx context.Context, p process, build Build, standard standard, away []string) *life {
	environment := variables(p.environ)
	level := &slog.LevelVar{}
	level.Set(slog.Level(standard.LogLevel))
	log := newLog(p.stderr, standard.LogFormat, level, isJournal(p.stderr, environment["JOURNAL_STREAM"]))
	stopping, stop := context.WithCancel(ctx)
	l := &life{
		process: p, standard: standard, level: level, notifier: newNotifier(environment, p.pid), stop: stop,
		service: newService(build, log, environment["RUNTIME_DIRECTORY"], stopping),
		reloads: make(chan struct{}, 1), beat: make(chan struct{}), over: make(chan struct{}), reloaded: make(chan struct{}),
	}
	for i := range handedNames(environment, p.pid) { // setup or a command may start programs before listen takes them
		syscall.CloseOnExec(firstHanded + i)
	}
	l.adopt(log, append(away, handedVariables()...))
	go l.listenToSignals()
	return l
}

// end is called last.
func (l *life) end() {
	l.stop()
	close(l.over)
}

// fault logs what makes the exit code 1. The stack of a panic is in the log even when an error
// is returned, which does not have it.
func (l *life) fault(action string, err error) {
	l.code = 1
	said := explained(err)
	if l.failed != nil {
		l.failed(action, err)
		if len(said) == 2 {
			return
		}
	}
	l.service.log.Error(action+" failed", said...)
}

// command runs one command, and closes what it has opened.
func (l *life) command(c task) int {
	if err := c.run(l.service.stopping); err != nil {
		l.fault(c.name, err)
	}
	if s := l.service; len(s.listens)+len(s.workers)+len(s.jobs) > 0 {
		l.fault(c.name, errors.New("a command has no servers, workers and jobs: they belong into setup"))
	}
	l.close()
	return l.code
}

// serve is the whole life of a service.
func (l *life) serve(setup func(*Service) error) int {
	s := l.service
	err := task{"setup", func(context.Context) error { return setup(s) }}.run(s.stopping)
	switch {
	case s.stopping.Err() != nil && (err == nil || errors.Is(err, context.Canceled)): // a signal came during setup
	case err != nil:
		l.fault("setup", err)
	case len(s.listens)+len(s.workers)+len(s.jobs) == 0:
		l.fault("setup", errors.New("it has added nothing to do: no HTTP, Listen, Go or Job"))
	default:
		l.work()
	}
	l.close()
	if l.operation != nil {
		_ = l.operation.server.Close() // until now it has told that the service is not ready
		<-l.operation.ended
	}
	return l.code
}

// work starts the parts, waits for the end of one or for a signal, and stops them.
func (l *life) work() {
	if err := l.listen(); err != nil {
		for _, fault := range each(err) {
			l.fault("start", fault)
		}
		return
	}
	l.start()
	s := l.service
	s.ready.open.Store(true)
	s.log.Info("ready", "version", s.build.Version)
	l.tell("READY=1")
	l.wait()
	l.finish()
}

// listen takes or opens every socket, the operation's first.
func (l *life) listen() error {
	s := l.service
	parts := s.listens
	watched := len(s.listens)+len(s.workers) > 0 && l.standard.MetricsAddress != noOperation
	if watched {
		parts = append([]listenPart{{"metrics", Address(l.standard.MetricsAddress), bareServer(operationHandler(s.registry, s.ready, s.healthy, s.log), s.log)}}, parts...)
	}
	sockets, err := takeHanded(handedNames(variables(l.environ), l.pid), l.open)
	if err != nil {
		s.log.Warn("a socket of systemd is not used", "error", err)
	}
	listeners, unused, err := listenAll(parts, sockets)
	if err != nil {
		return err
	}
	for _, h := range unused {
		s.log.Warn("a socket of systemd is not used", "name", h.name, "address", h.listener.Addr().String())
		_ = h.listener.Close()
	}
	for i, p := range parts {
		s.log.Info("listening", "part", p.name, "address", listeners[i].Addr().String())
	}
	hold := newHold(variables(l.environ)[acceptAfter])
	for i, p := range parts {
		if watched && i == 0 {
			l.operation = serve(p.name, listeners[i], p.server)
			continue
		}
		l.servings = append(l.servings, serve(p.name, hold.on(listeners[i]), p.server))
	}
	return nil
}

// start starts all that is not a server, and watches what is.
func (l *life) start() {
	s := l.service
	ctx, release := context.WithCancel(context.Background())
	l.release = release
	servers := l.servings
	if l.operation != nil {
		servers = append(servers[:len(servers):len(servers)], l.operation)
	}
	l.ends = make(chan ended, len(servers)+len(s.workers)+len(s.jobs))
	for _, server := range servers {
		go func() {
			<-server.ended
			l.ends <- ended{task: task{name: server.name}, err: server.err, server: true}
		}()
	}
	begin := func(t task, job bool) {
		l.running++
		go func() { l.ends <- ended{task: t, err: t.run(ctx), job: job} }()
	}
	for _, t := range s.workers {
		begin(t, false)
	}
	for _, t := range s.jobs {
		l.jobs++
		begin(t, true)
	}
	if l.notifier.watchdog > 0 {
		go l.watchdog()
	}
}

// wait returns when the service is to stop. Nothing that it does may take long.
func (l *life) wait() {
	s := l.service
	for {
		reloads := l.reloads
		if l.reloading {
			reloads = nil // one at a time
		}
		select {
		case <-s.stopping.Done():
			return
		case <-l.beat:
		case <-reloads:
			l.reloading = true
			s.log.Info("reloading")
			l.tell(reloading()...)
			go l.reload()
		case <-l.reloaded:
			l.reloading = false
			l.tell("READY=1")
		case e := <-l.ends:
			l.ended(e)
			switch {
			case e.job && e.err == nil && l.jobs == 0:
				s.log.Info("all jobs are done")
				return
			case e.job && e.err == nil:
			case e.err == nil:
				l.fault(e.name, errors.New("it has ended, and nobody has asked it to"))
				return
			default:
				l.fault(e.name, e.err)
				return
			}
		}
	}
}

// ended keeps count.
func (l *life) ended(e ended) {
	if !e.server {
		l.running--
	}
	if e.job {
		l.jobs--
	}
}
