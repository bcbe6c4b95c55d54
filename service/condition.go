package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// condition is a check of [Service.OnReady] or [Service.OnHealth]. However many ask, it runs once
// at a time.
type condition struct {
	task

	mu      sync.Mutex
	running *verdict
	failing bool // as the log has it
}

type verdict struct {
	done chan struct{}
	err  error
}

// checkLimit is how long a check may take, and checkPatience how long one is waited for that
// does not look at its context.
const (
	checkLimit    = time.Second
	checkPatience = checkLimit + checkLimit/10
)

var errNoAnswer = errors.New("no answer in time")

// askAll returns nil, or each condition that fails by its name, as "NAME is not ready". What a
// check has said goes to the log: it may be more than a stranger should see.
func askAll(ctx context.Context, log *slog.Logger, is string, all []*condition) error {
	faults := make([]error, len(all))
	var wg sync.WaitGroup
	for i, c := range all {
		wg.Go(func() {
			if c.ask(ctx, log, is) != nil {
				faults[i] = fmt.Errorf("%s is not %s", c.name, is)
			}
		})
	}
	wg.Wait()
	return errors.Join(faults...)
}

func (c *condition) ask(ctx context.Context, log *slog.Logger, is string) error {
	c.mu.Lock()
	v := c.running
	if v == nil {
		v = &verdict{done: make(chan struct{})}
		c.running = v
		go c.check(v, log, is)
	}
	c.mu.Unlock()
	limit := time.NewTimer(checkPatience)
	defer limit.Stop()
	select {
	case <-v.done:
		return v.err
	case <-ctx.Done():
		return ctx.Err()
	case <-limit.C:
		return errNoAnswer
	}
}

func (c *condition) check(v *verdict, log *slog.Logger, is string) {
	late := time.AfterFunc(checkPatience, func() { // it may never return
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.running == v {
			c.note(errNoAnswer, log, is)
		}
	})
	defer late.Stop()
	ctx, cancel := context.WithTimeout(context.Background(), checkLimit)
	defer cancel()
	v.err = c.run(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.note(v.err, log, is)
	c.running = nil
	close(v.done)
}

// note logs a change.
func (c *condition) note(err error, log *slog.Logger, is string) {
	failing := err != nil
	switch {
	case failing && !c.failing:
		log.Warn("not "+is, append([]any{"check", c.name}, explained(err)...)...)
	case c.failing && !failing:
		log.Info(is+" again", "check", c.name)
	}
	c.failing = failing
}
