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

// reload does what OnReload has added.
func (l *life) reload() {
	s := l.service
	s.log.Info("reloading")
	l.tell(reloading()...)
	for _, r := range s.reloaders {
		if err := r.do(s.stopping); err != nil {
			s.log.Error("reload "+r.name+" failed", "error", err)
		}
	}
	l.tell("READY=1")
}

// watchdog tells systemd that the service lives, twice in the time that it waits for that
// (sd_watchdog_enabled(3)). It goes on during the stop, which has limits of its own.
func (l *life) watchdog() {
	ticks := time.NewTicker(l.notifier.watchdog / 2)
	defer ticks.Stop()
	for {
		select {
		case <-ticks.C:
			if healthy(l.answers) {
				l.tell("WATCHDOG=1")
			}
		case <-l.over:
			return
		}
	}
}

// handedVariables are for this process: one that it starts is not to take them for its own.
func handedVariables() []string {
	return []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"}
}
