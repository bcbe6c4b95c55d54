package service

import (
	"context"
	"errors"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
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

func TestNotify(t *testing.T) {
	if err := (notifier{}).send("READY=1"); err != nil {
		t.Error(err)
	}
	if err := (notifier{socket: "/nonexistent/notify"}).send("READY=1"); err == nil {
		t.Error("nobody has heard it, and there is no error")
	}
}
