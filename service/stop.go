package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// deadline is SHUTDOWN_TIMEOUT after the beginning of the stop.
func (l *life) deadline() time.Time {
	if l.limit.IsZero() {
		l.limit = time.Now().Add(time.Duration(l.standard.ShutdownTimeout))
	}
	return l.limit
}

// lastWord is what a step of the stop has even when the steps before it have used up
// the time, so that a request that hangs does not cost the data of a worker.
const lastWord = time.Second

// rest is what is left of the stop's time, and at least lastWord.
func (l *life) rest() (context.Context, context.CancelFunc) {
	end := l.deadline()
	if least := time.Now().Add(lastWord); end.Before(least) {
		end = least
	}
	return context.WithDeadline(context.Background(), end)
}

// finish stops what works, in the order that loses nothing: see drain for requests.
func (l *life) finish() {
	s := l.service
	l.stop()
	s.ready.open.Store(false)
	s.log.Info("stopping")
	l.tell("STOPPING=1")

	ctx, cancel := context.WithDeadline(context.Background(), l.deadline())
	defer cancel()
	if err := drain(ctx, drainPause, l.servings); err != nil {
		s.log.Warn("what was under way had to be broken off", "error", err)
	}
	if l.reloading {
		<-l.reloaded // soon: its context is done
	}
	l.release()
	last, cancelLast := l.rest()
	defer cancelLast()
	for l.running > 0 {
		select {
		case e := <-l.ends:
			l.ended(e)
			if e.err != nil && !e.server && (e.job || !errors.Is(e.err, context.Canceled)) {
				l.fault(e.name, e.err)
			}
		case <-last.Done():
			l.fault("stop", fmt.Errorf("%d workers or jobs have not ended in time", l.running))
			return
		}
	}
}

// close does what OnClose has added, the last first.
func (l *life) close() {
	for _, c := range slices.Backward(l.service.closers) {
		ctx, cancel := l.rest()
		if err := c.within(ctx); err != nil {
			l.fault("close "+c.name, err)
		}
		cancel()
	}
}
