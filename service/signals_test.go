package service

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestReload(t *testing.T) {
	var did steps
	r := begin(t, nil, nil, func(s *Service, _ none) error {
		s.Go("w", untilStopped)
		s.OnReload("certificates", func(context.Context) error { did.add("certificates"); return errors.New("unreadable") })
		s.OnReload("rules", func(context.Context) error { did.add("rules"); return nil })
		return nil
	})
	r.told("READY=1")
	r.signals <- syscall.SIGHUP
	before := monotonic()
	r.told(`RELOADING=1\nMONOTONIC_USEC=\d+`, "READY=1")
	r.signals <- syscall.SIGHUP
	r.told(`RELOADING=1\nMONOTONIC_USEC=\d+`, "READY=1")
	did.check(t, "certificates", "rules", "certificates", "rules")
	r.logged(`msg="reload certificates failed" error=unreadable`)
	r.signals <- syscall.SIGTERM
	r.told("STOPPING=1")
	r.exits(0)

	told, err := strconv.ParseInt(regexp.MustCompile(`\d+$`).FindString(reloading()[1]), 10, 64)
	if since := time.Duration(told)*time.Microsecond - before; err != nil || since < 0 || since > patience {
		t.Errorf("told %d, %v: %s after the reload", told, err, since)
	}
}

// TestReloadUnderWay has a reload that does not end: a stop, a second signal and the end of a
// part do not wait for it.
func TestReloadUnderWay(t *testing.T) {
	f := func(code int, stop func(r *trial, fail chan<- error), logged ...string) {
		t.Helper()
		letGo, fail, calls := make(chan struct{}), make(chan error), make(chan struct{}, 8)
		r := begin(t, nil, nil, func(s *Service, _ none) error {
			s.Go("worker", func(ctx context.Context) error {
				select {
				case err := <-fail:
					return err
				case <-ctx.Done():
					return nil
				}
			})
			s.OnReload("deaf", func(context.Context) error { calls <- struct{}{}; <-letGo; return nil })
			s.OnReload("next", func(context.Context) error { calls <- struct{}{}; return nil })
			return nil
		})
		r.told("READY=1")
		r.signals <- syscall.SIGHUP
		r.told(`RELOADING=1\n.*`)
		<-calls
		r.signals <- syscall.SIGHUP
		stop(r, fail)
		r.told("STOPPING=1")
		r.exits(code)
		r.logged(logged...)
		if len(calls) > 0 {
			t.Errorf("%d more calls, after the stop or at the same time", len(calls))
		}
		close(letGo)
	}
	f(0, func(r *trial, _ chan<- error) { r.signals <- syscall.SIGTERM }, "stopping")
	f(1, func(_ *trial, fail chan<- error) { fail <- errors.New("broken") }, `msg="worker failed" error=broken`, "stopping")
}

func TestReloadThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lockedBuffer
		var did steps
		s := newService(Build{}, newLog(&log, logfmt, slog.LevelInfo, false), "", t.Context())
		l := &life{service: s, reloaded: make(chan struct{})}
		letGo := make(chan struct{})
		s.OnReload("deaf", func(context.Context) error { did.add("deaf"); <-letGo; return nil })
		s.OnReload("rules", func(context.Context) error { did.add("rules"); return nil })
		for _, want := range []string{"it has not ended in time", "the one before has not ended"} {
			began := time.Now()
			go l.reload()
			<-l.reloaded
			if took := time.Since(began); took > reloadLimit+time.Second || !strings.Contains(log.String(), `msg="reload deaf failed" error="`+want) {
				t.Errorf("%s; log:\n%s", took, log.String())
			}
		}
		close(letGo)
		synctest.Wait()
		go l.reload()
		<-l.reloaded
		did.check(t, "deaf", "rules", "rules", "deaf", "rules")
	})
}

func TestSecondSignal(t *testing.T) {
	f := func(first, second os.Signal, code int) {
		t.Helper()
		letGo := make(chan struct{})
		r := begin(t, nil, nil, func(s *Service, _ none) error {
			s.Go("deaf", func(context.Context) error { <-letGo; return nil })
			return nil
		})
		r.told("READY=1")
		r.signals <- first
		r.told("STOPPING=1")
		if len(r.killed) > 0 {
			t.Error("one signal has killed it")
		}
		r.signals <- second
		select {
		case got := <-r.killed:
			if got != code {
				t.Errorf("killed with %d, want %d", got, code)
			}
		case <-time.After(patience):
			t.Error("the second signal does nothing")
		}
		close(letGo)
		r.exits(0)
	}
	f(syscall.SIGTERM, syscall.SIGTERM, 143)
	f(syscall.SIGTERM, syscall.SIGINT, 130)
	f(syscall.SIGINT, syscall.SIGINT, 130)
}

func TestLogLevelSignals(t *testing.T) {
	r := begin(t, nil, []string{"LOG_LEVEL=info"}, func(s *Service, _ none) error { s.Go("w", untilStopped); return nil })
	r.told("READY=1")
	for _, signal := range []os.Signal{syscall.SIGUSR1, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGUSR2, syscall.SIGUSR2, syscall.SIGUSR2, syscall.SIGUSR1} {
		r.signals <- signal
	}
	const last = "log level\" is=WARN"
	for end := time.Now().Add(patience); strings.Count(r.log.String(), last) < 2 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	r.logged("is=DEBUG", "is=DEBUG", "is=INFO", "is=WARN", "is=ERROR", "is=ERROR", "is=WARN")
	r.signals <- syscall.SIGTERM
	r.exits(0)
}

func TestWatchdog(t *testing.T) {
	r := begin(t, nil, []string{"WATCHDOG_USEC=20000"}, func(s *Service, _ none) error { s.Go("w", untilStopped); return nil })
	r.told("READY=1", "WATCHDOG=1", "WATCHDOG=1")
	r.signals <- syscall.SIGTERM
	r.exits(0)

	f := func(usec, pid string, want time.Duration) {
		t.Helper()
		if got := newNotifier(map[string]string{"WATCHDOG_USEC": usec, "WATCHDOG_PID": pid}, 42).watchdog; got != want {
			t.Errorf("%q for %q: %s", usec, pid, got)
		}
	}
	f("3000000", "42", 3*time.Second)
	f("3000000", "", 3*time.Second)
	f("3000000", "43", 0)
	f("", "", 0)
	f("x", "", 0)
	f("-1", "", 0)
}

// TestAlive is what WATCHDOG=1 says.
func TestAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stopping, stop := context.WithCancel(t.Context())
		defer stop()
		s := newService(Build{}, slog.New(slog.DiscardHandler), "", stopping)
		var stuck error
		s.OnHealth("loop", func(context.Context) error { return stuck })
		l := &life{service: s, beat: make(chan struct{}), over: make(chan struct{})}
		alive := make(chan bool, 1)
		f := func(fault error, want bool) {
			t.Helper()
			stuck = fault
			go func() { alive <- l.alive() }()
			synctest.Wait()
			if len(alive) > 0 {
				t.Error("it lives, and wait has given no sign")
			}
			<-l.beat
			if got := <-alive; got != want {
				t.Errorf("%v: %v", fault, got)
			}
		}
		f(nil, true)
		f(errors.New("stuck"), false)
		f(nil, true)
		stuck = errors.New("closed")
		stop()
		if !l.alive() || s.healthy(t.Context()) != nil {
			t.Error("a stop, which has a limit of its own, is taken for the end")
		}
	})
}

func TestHealth(t *testing.T) {
	var stuck atomic.Bool
	r := begin(t, nil, nil, func(s *Service, _ none) error {
		s.Go("w", untilStopped)
		s.OnHealth("loop", func(context.Context) error {
			if stuck.Load() {
				return errors.New("no film since noon")
			}
			return nil
		})
		return nil
	})
	r.told("READY=1")
	f := func(wantCode int, want string) {
		t.Helper()
		if code, body := get(t, "http://"+r.address("metrics")+"/health"); code != wantCode || body != want {
			t.Errorf("%d %q, want %d %q", code, body, wantCode, want)
		}
	}
	f(200, "ok\n")
	stuck.Store(true)
	f(503, "loop is not healthy\n")
	stuck.Store(false)
	f(200, "ok\n")
	r.logged(`msg="not healthy" check=loop error="no film since noon"`, `msg="healthy again" check=loop`)
	r.signals <- syscall.SIGTERM
	r.exits(0)
}

// TestNotifyFull has a systemd that does not read.
func TestNotifyFull(t *testing.T) {
	n := notifier{socket: filepath.Join(t.TempDir(), "notify")}
	systemd, err := net.ListenPacket("unixgram", n.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer systemd.Close()
	conn, err := net.Dial("unixgram", n.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for full := false; !full; {
		if err := conn.SetWriteDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		_, err := conn.Write([]byte("x"))
		full = err != nil
	}
	said := make(chan error, 1)
	go func() { said <- n.send("STOPPING=1") }()
	select {
	case err := <-said:
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%v", err)
		}
	case <-time.After(patience):
		t.Error("it waits for ever")
	}
}

func TestNotify(t *testing.T) {
	if err := (notifier{}).send("READY=1"); err != nil {
		t.Error(err)
	}
	if err := (notifier{socket: "/nonexistent/notify"}).send("READY=1"); err == nil {
		t.Error("nobody has heard it, and there is no error")
	}
}
