package service

import (
	"context"
	"errors"
	"slices"
	"strings"
	"syscall"
	"testing"
)

type runConfig struct {
	DSN   Secret `env:"DSN,required" help:"the database"`
	Token Secret `env:"TOKEN" envDefault:"hunter2"`
	Rate  int    `env:"RATE" envDefault:"10" help:"films a second"`
}

func TestCommandLine(t *testing.T) {
	f := func(line, environ string, code int, out, log []string) {
		t.Helper()
		r := begin(t, strings.Fields(line), strings.Fields(environ), func(s *Service, _ runConfig) error {
			s.Job("once", func(context.Context) error { s.Log().Info("serving"); return nil })
			return nil
		}, Command[runConfig]{Name: "migrate", Help: "brings the tables up to date", Run: func(ctx context.Context, s *Service, c runConfig) error {
			s.OnClose("tables", func(context.Context) error { s.Log().Info("closed"); return nil })
			s.Log().Info("migrating", "dsn", c.DSN)
			return nil
		}}, Command[runConfig]{Name: "fail", Run: func(context.Context, *Service, runConfig) error {
			return errors.New("broken")
		}}, Command[runConfig]{Name: "serve-too", Run: func(_ context.Context, s *Service, _ runConfig) error {
			s.Go("w", untilStopped)
			return nil
		}})
		r.exits(code)
		r.logged(log...)
		rest := r.out.String()
		for _, w := range out {
			_, after, found := strings.Cut(rest, w)
			if !found {
				t.Errorf("%q is not in the output:\n%s", w, r.out.String())
			}
			rest = after
		}
		if len(out) == 0 && rest != "" || len(log) == 0 && r.log.String() != "" {
			t.Errorf("unexpected: output %q, log %q", rest, r.log.String())
		}
		if all := r.out.String() + r.log.String(); strings.Contains(all, "hunter2") {
			t.Errorf("a secret shows:\n%s", all)
		}
	}
	program, version := thisBuild().Name, thisBuild().Version
	f("--help", "", 0, []string{
		program, version, program + " migrate", "brings the tables up to date", "--check-config", "Variables:",
		"DSN ", "secret, required ", "the database", "TOKEN ", "secret, has a default", "RATE ", "default 10 ", "films a second",
		"Variables of every service:", "METRICS_ADDRESS", "default :9090", "LOG_LEVEL", "LOG_FORMAT", "SHUTDOWN_TIMEOUT", "default 20s", "VAULT_PASSWORD_FILE", "SKIP_DECRYPT",
	}, nil)
	f("-h", "", 0, []string{"Variables:"}, nil)
	f("--version", "", 0, []string{thisBuild().String() + "\n"}, nil)
	f("--check-config", "DSN=hunter2", 0, []string{program + " " + version + ": the configuration has no mistakes\n"}, nil)
	f("--check-config", "RATE=fast", 2, nil, []string{program + ": DSN: it is required, and not set\n", program + `: RATE: "fast": must be a whole number`})
	f("", "RATE=fast", 2, nil, []string{"DSN: ", "RATE: "})
	f("", "DSN=hunter2", 0, nil, []string{"serving", "all jobs are done"})
	f("migrate", "DSN=hunter2", 0, nil, []string{"migrating dsn=(secret)", "closed"})
	f("migrate", "", 2, nil, []string{"DSN: it is required"})
	f("fail", "DSN=x", 1, nil, []string{`msg="fail failed" error=broken`})
	f("serve-too", "DSN=x", 1, nil, []string{"a command has no servers, workers and jobs"})
	f("migrat", "DSN=x", 2, nil, []string{`"migrat" is no command: see --help`})
	f("migrate now", "DSN=x", 2, nil, []string{`"migrate now": at most one argument`})
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

func TestOutputThatFails(t *testing.T) {
	for _, line := range []string{"--version", "--help", "--check-config"} {
		var log strings.Builder
		code := run(t.Context(), process{args: []string{line}, stdout: fullDisk{}, stderr: &log}, func(*Service, none) error { return nil }, nil)
		if code != 1 || !strings.Contains(log.String(), "no space left on device") {
			t.Errorf("%s: exit code %d, log %q", line, code, log.String())
		}
	}
}

func TestCommandStops(t *testing.T) {
	started := make(chan struct{})
	r := begin(t, []string{"wait"}, nil, func(*Service, none) error { return nil }, Command[none]{Name: "wait", Run: func(ctx context.Context, _ *Service, _ none) error {
		close(started)
		<-ctx.Done()
		return ctx.Err()
	}})
	<-started
	r.signals <- syscall.SIGTERM
	r.exits(1)
	r.logged(`msg="wait failed" error="context canceled"`)
}

// TestAway is about what is taken out of the process's environment.
func TestAway(t *testing.T) {
	r := begin(t, nil, []string{"DSN=x", "RATE=1"}, func(s *Service, _ runConfig) error {
		s.Job("once", func(context.Context) error { return nil })
		return nil
	})
	r.exits(0)
	for _, name := range []string{"DSN", "NOTIFY_SOCKET", "LISTEN_FDS"} {
		if !slices.Contains(r.away, name) {
			t.Errorf("%s stays: %q", name, r.away)
		}
	}
	if slices.Contains(r.away, "RATE") {
		t.Error("RATE is taken away")
	}
}
