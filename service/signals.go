package service

import (
	"context"
	"log/slog"
	"os"
	"syscall"
	"time"
)

// listenToSignals works from before setup until the end, also while the service stops: a second
// SIGTERM or SIGINT must end a process that hangs.
func (l *life) listenToSignals() {
	for asked := false; ; {
		var signal os.Signal
		select {
		case signal = <-l.signals:
		case <-l.over:
			return
		}
		switch signal {
		case syscall.SIGTERM, syscall.SIGINT:
			if asked {
				l.exit(128 + int(signal.(syscall.Signal)))
				continue
			}
			asked = true
			l.stop()
		case syscall.SIGHUP:
			select {
			case l.reloads <- struct{}{}:
			default:
			}
		case syscall.SIGUSR1:
			l.setLevel(moreOf(l.level.Level()))
		case syscall.SIGUSR2:
			l.setLevel(lessOf(l.level.Level()))
		}
	}
}

// setLevel says so in the log at whichever level still shows.
func (l *life) setLevel(to slog.Level) {
	shown := max(slog.LevelInfo, min(to, l.level.Level()))
	l.level.Set(min(to, l.level.Level()))
	l.service.log.Log(context.Background(), shown, "log level", "is", to.String())
	l.level.Set(to)
}

// tell tells systemd. The service works without.
func (l *life) tell(states ...string) {
	if err := l.notifier.send(states...); err != nil {
		l.service.log.Warn("systemd was not told", "states", states, "error", err)
	}
}

// reloadLimit is what each OnReload may take: less than systemd waits for all of them, which is
// TimeoutStartSec=, by default 90 s.
const reloadLimit = 30 * time.Second

// reload does what OnReload has added, beside the wait for the end: a stop breaks it off.
func (l *life) reload() {
	s := l.service
	for _, r := range s.reloaders {
		if s.stopping.Err() != nil {
			break
		}
		ctx, cancel := context.WithTimeout(s.stopping, reloadLimit)
		if err := r.within(ctx); err != nil {
			s.log.Error("reload "+r.name+" failed", explained(err)...)
		}
		cancel()
	}
	l.reloaded <- struct{}{}
}

// watchdog tells systemd that the service lives, twice in the time that it waits for that
// (sd_watchdog_enabled(3)).
func (l *life) watchdog() {
	ticks := time.NewTicker(l.notifier.watchdog / 2)
	defer ticks.Stop()
	for {
		select {
		case <-ticks.C:
			if l.alive() {
				l.tell("WATCHDOG=1")
			}
		case <-l.over:
			return
		}
	}
}

// alive waits for a sign of the wait for the end, which is what a signal and the end of a part
// need, and asks the service's own checks. A stop has limits of its own.
func (l *life) alive() bool {
	select {
	case l.beat <- struct{}{}:
		return l.service.healthy(l.service.stopping) == nil
	case <-l.service.stopping.Done():
		return true
	case <-l.over:
		return false
	}
}

// handedVariables are for this process: one that it starts is not to take them for its own.
func handedVariables() []string {
	return []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"}
}
