package service

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// task is something with a name that is done until ctx is done, or once.
type task struct {
	name string
	do   func(ctx context.Context) error
}

// run does the task. A panic is its error: the process is to go on, so that requests that are
// under way are answered and what is open is closed.
func (t task) run(ctx context.Context) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &panicked{value, debug.Stack()}
		}
	}()
	return t.do(ctx)
}

// within does the task, and does not wait for it when ctx is done, even if it does not look at that.
func (t task) within(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- t.run(ctx) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	select { // it may have seen the same end
	case err := <-done:
		return err
	case <-time.After(lastWord / 10):
		return errors.New("it has not ended in time")
	}
}

// panicked is the error of what has panicked.
type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string { return fmt.Sprintf("panic: %v", p.value) }

// explained is what the log has of an error.
func explained(err error) []any {
	said := []any{"error", err}
	var p *panicked
	if errors.As(err, &p) {
		said = append(said, "stack", string(p.stack))
	}
	return said
}
