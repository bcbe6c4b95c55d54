package service

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
)

// Run is all of main. It reads the environment into C, calls setup, starts the
// parts that setup has added, and ends the process when they have ended: with
// code 0, 1 when a part failed or panicked, 2 for a wrong configuration or command line. A
// second SIGTERM or SIGINT ends it at once, with 143 or 130. It never returns.
//
// C is a struct with tags of github.com/caarlos0/env (env:"NAME,required",
// envDefault:"value", envPrefix for a struct within) and help:"what it means". Fields that hold
// secrets are of type [Secret]: only they may have encrypted values. A variable that is
// empty counts as not set. Secrets are taken out of the process's environment.
func Run[C any](setup func(s *Service, config C) error, commands ...Command[C]) {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2)
	os.Exit(run(context.Background(), process{
		args: os.Args[1:], environ: os.Environ(), pid: os.Getpid(), stdout: os.Stdout, stderr: os.Stderr,
		signals: signals, exit: os.Exit, adopt: adopt,
		open: openHanded,
	}, setup, commands))
}

// Command is something else that the program can do, chosen by its first
// argument: a migration, a task of a timer. It has no ports, and setup is not called for it. What
// it returns is logged, and makes the exit code 1. Its ctx is done when a signal asks it to stop.
type Command[C any] struct {
	Name, Help string
	Run        func(ctx context.Context, s *Service, config C) error
}

// process is what a program is given and may do to itself. Tests have their own.
type process struct {
	args           []string // without the program
	environ        []string
	pid            int
	stdout, stderr io.Writer
	signals        <-chan os.Signal
	open           func(fd uintptr) *os.File             // a descriptor that was handed over
	exit           func(code int)                        // at once
	adopt          func(log *slog.Logger, away []string) // see adopt
	failed         func(action string, err error)        // gets what is else an error in the log; nil: nothing
}

// adopt does what is for the whole process: its environment loses what nobody is to
// read again, libraries that log for themselves use log, Go knows how much memory there is, and
// a log that nobody reads any more, as when the journal has crashed, is no reason to die: Go ends
// a process that writes to a broken pipe on descriptor 1 or 2 (os/signal), even where systemd ignores the signal.
func adopt(log *slog.Logger, away []string) {
	for _, variable := range away {
		_ = os.Unsetenv(variable)
	}
	slog.SetDefault(log)
	signal.Ignore(syscall.SIGPIPE)
	if os.Getenv("GOMEMLIMIT") == "" {
		if limit := memoryLimit(os.DirFS("/")); limit > 0 {
			debug.SetMemoryLimit(limit)
		}
	}
}

// run is Run but for what belongs to the process; it returns the exit code. It
// ends early when ctx is done, as for a signal.
func run[C any](ctx context.Context, p process, setup func(*Service, C) error, commands []Command[C]) int {
	build := thisBuild()
	at := -1
	if len(p.args) > 0 {
		at = slices.IndexFunc(commands, func(c Command[C]) bool { return c.Name == p.args[0] })
	}
	var first string
	if len(p.args) > 0 {
		first = p.args[0]
	}
	switch {
	case len(p.args) > 1:
		return p.refuse(build, fmt.Errorf("%q: at most one argument", strings.Join(p.args, " ")))
	case first == "--help" || first == "-h" || first == "help":
		return help(p, build, commands)
	case first == "--version":
		return p.say(build, build.String()+"\n")
	case first != "" && first != "--check-config" && at < 0:
		return p.refuse(build, fmt.Errorf("%q is no command: see --help", first))
	}

	s, err := load[C](p.environ)
	if err != nil {
		return p.refuse(build, err)
	}
	if first == "--check-config" {
		return p.say(build, fmt.Sprintf("%s %s: the configuration has no mistakes\n", build.Name, build.Version))
	}
	l := newLife(ctx, p, build, s.standard, s.clear)
	defer l.end()
	if at >= 0 {
		return l.command(task{first, func(ctx context.Context) error { return commands[at].Run(ctx, l.service, s.config) }})
	}
	return l.serve(func(service *Service) error { return setup(service, s.config) })
}

func help[C any](p process, build Build, commands []Command[C]) int {
	var s settings[C]
	own, shared, faults := allFields(reflect.ValueOf(&s.config).Elem(), reflect.ValueOf(&s.standard).Elem())
	var listed [][2]string
	for _, c := range commands {
		listed = append(listed, [2]string{c.Name, c.Help})
	}
	var text strings.Builder
	writeHelp(&text, build, listed, own, shared)
	code := p.say(build, text.String())
	for _, fault := range faults {
		code = p.refuse(build, fault)
	}
	return code
}

// say is the whole answer of a command line like --version.
func (p process) say(build Build, text string) int {
	if _, err := io.WriteString(p.stdout, text); err != nil {
		_ = p.refuse(build, err)
		return 1
	}
	return 0
}

// refuse writes what is wrong with the configuration or the command line, before there is a log.
func (p process) refuse(build Build, err error) int {
	priority := ""
	if isJournal(p.stderr, variables(p.environ)["JOURNAL_STREAM"]) {
		priority = "<3>"
	}
	for _, fault := range each(err) {
		for line := range strings.Lines(fault.Error()) {
			fmt.Fprintf(p.stderr, "%s%s: %s\n", priority, build.Name, strings.TrimSuffix(line, "\n"))
		}
	}
	return 2
}
