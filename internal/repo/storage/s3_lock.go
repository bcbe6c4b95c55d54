package storage

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrLockLost: another writer may have taken over, since this one could not
// show in time that it is alive.
var ErrLockLost = errors.New("the lock of the repository is lost")

// s3Lock is one turn at the lock of a bucket: Lamport's bakery algorithm ("A New
// Solution of Dijkstra's Concurrent Programming Problem", 1974) over objects.
// Conditional writes would be simpler, but not every S3 server has them, and
// some take them and ignore them. Below .lock/ every writer has
//
//	choosing-ID     while it looks which number is next
//	NUMBER-ID       its ticket, from then on: the lowest one has the lock
//	beat-ID-COUNT   signs of life, a new one every sixth of a lease
//
// No object of these is ever replaced, because a server may let a listing miss
// an object that is being replaced; and the last two beats stay, so that at
// least one of them is there during any listing.
//
// A writer whose newest object is a lease older than one's own newest, both by
// the server's clock, is dead, and whoever waits removes all that it has. The
// writer itself stops earlier: half a lease after the last sign of life that
// got through, its context ends. It also asks for its ticket before it writes
// roots.
//
// This keeps writers apart as long as listings show what was written before
// they began, and no request takes effect at the server later than half a lease
// after its sender has given up on it: S3 has nothing to fence off such a late
// one. What could then happen is that roots of an older state replace newer
// ones, which the next publication mends; packages and lists, which have their
// digests in their names, cannot be damaged.
type s3Lock struct {
	s      *s3
	id     string
	ticket string // the name of the ticket; "" before there is one
	beats  int

	held context.Context         // of whoever has or wants the lock
	lost context.CancelCauseFunc // ends it
	mu   sync.Mutex
	sure time.Time // when the last sign of life that got through was begun
}

// Lock waits for its turn; writers get theirs in the order in which they asked.
func (s *s3) Lock(ctx context.Context) (context.Context, func(), error) {
	wrong := func(err error) error { return fmt.Errorf("lock %s: %w", s, err) }
	if err := s.explainLock(ctx); err != nil {
		return nil, nil, wrong(err)
	}
	held, lost := context.WithCancelCause(ctx)
	l := &s3Lock{s: s, id: rand.Text(), held: held, lost: lost}
	stop, err := l.enter(held)
	if err == nil {
		err = l.wait(held)
	}
	unlock := sync.OnceFunc(func() {
		s.mu.Lock()
		if s.held == l {
			s.held = nil
		}
		s.mu.Unlock()
		lost(context.Canceled)
		stop()
		l.leave(context.WithoutCancel(ctx))
	})
	if err != nil {
		if held.Err() != nil {
			err = context.Cause(held) // and not what it did to a request
		}
		unlock()
		return nil, nil, wrong(err)
	}
	s.mu.Lock()
	s.held = l
	s.mu.Unlock()
	return held, unlock, nil
}

// enter shows that l is choosing a number and starts its heart, chooses, and
// takes the ticket. stop ends the heart; it is never nil.
func (l *s3Lock) enter(ctx context.Context) (stop func(), err error) {
	l.sure = time.Now()
	choosing := lockName + "/choosing-" + l.id
	if err := l.s.mark(ctx, choosing); err != nil {
		return func() {}, err
	}
	var heart sync.WaitGroup
	heart.Go(func() { l.live(ctx) })
	list, err := l.s.listWriters(ctx, l.id)
	if err != nil {
		return heart.Wait, err
	}
	ticket := ticketName(list.last()+1, l.id)
	if err := l.s.mark(ctx, ticket); err != nil {
		return heart.Wait, err
	}
	// Whoever took longer than it may was perhaps thought dead while it chose,
	// and its number is worth nothing.
	l.mu.Lock()
	l.ticket = ticket
	l.mu.Unlock()
	if err := l.check(ctx); err != nil {
		return heart.Wait, err
	}
	return heart.Wait, l.s.drop(ctx, choosing)
}

// wait returns when nobody has a lower ticket. Whoever is choosing may be about
// to get one; who begins to choose later gets a higher one. So tickets are
// looked at in a listing that begins after one without anybody choosing.
func (l *s3Lock) wait(ctx context.Context) error {
	quick := l.s.lease / 600
	chosen, ahead, pause := false, 0, quick
	for {
		list, err := l.s.listWriters(ctx, l.id)
		if err != nil {
			return err
		}
		alive, dead := list.others(l.id, l.s.lease)
		if err := l.s.bury(ctx, dead); err != nil {
			return err
		}
		before := alive.before(list.find(l.id))
		switch {
		case chosen && before == 0:
			return l.check(ctx)
		case !chosen && !alive.choosing():
			chosen = true
			continue
		}
		if pause = min(pause*3/2, l.s.lease/30); before != ahead {
			ahead, pause = before, quick // it goes on: be quick
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// live shows signs of life until ctx ends, and ends it when that does not
// succeed or when the objects of l were taken away.
func (l *s3Lock) live(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			return
		case <-time.After(l.s.lease / 6):
		}
		if l.unsure() { // it slept; a beat now would hide that
			l.lost(fmt.Errorf("%w: no sign of life got through in time", ErrLockLost))
			return
		}
		begun := time.Now()
		err := l.beat(ctx)
		if err == nil {
			l.mu.Lock()
			l.sure = begun
			l.mu.Unlock()
		}
		if errors.Is(err, ErrLockLost) {
			l.lost(err)
		} else if l.unsure() {
			l.lost(fmt.Errorf("%w: no sign of life got through: %w", ErrLockLost, err))
		}
	}
}

// beat leaves a new sign of life, makes sure that nobody has removed what l had
// left before, and removes the sign before the last.
func (l *s3Lock) beat(ctx context.Context) error {
	l.mu.Lock()
	ctx, cancel := context.WithDeadline(ctx, l.sure.Add(l.s.lease/2))
	ticket := l.ticket
	l.mu.Unlock()
	defer cancel()
	name := func(n int) string { return fmt.Sprintf("%s/beat-%s-%d", lockName, l.id, n) }
	if err := l.s.mark(ctx, name(l.beats+1)); err != nil {
		return err
	}
	l.beats++
	if err := l.s.there(ctx, ticket); err != nil {
		return err
	}
	if l.beats <= 2 {
		return nil
	}
	return l.s.drop(ctx, name(l.beats-2))
}

// check is an error when l does not have its ticket, or cannot be sure of it.
func (l *s3Lock) check(ctx context.Context) error {
	if l.unsure() {
		return ErrLockLost
	}
	return l.s.there(ctx, l.ticket)
}

// unsure says that the last sign of life is half a lease old. A machine that
// slept may have a monotonic clock that slept too, so both clocks are asked.
func (l *s3Lock) unsure() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	return max(now.Sub(l.sure), now.Round(0).Sub(l.sure.Round(0))) > l.s.lease/2
}

// leave removes all that l has, the ticket first. Without success it is gone
// after a lease.
func (l *s3Lock) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, l.s.lease/2)
	defer cancel()
	if l.ticket != "" && l.s.drop(ctx, l.ticket) != nil {
		return
	}
	if list, err := l.s.listWriters(ctx, l.id); err == nil {
		_ = l.s.bury(ctx, writers{list.find(l.id)})
	}
}

// writing ties ctx to the lock that every write needs.
func (s *s3) writing(ctx context.Context) (_ context.Context, l *s3Lock, done func(), err error) {
	s.mu.Lock()
	l = s.held
	s.mu.Unlock()
	if l == nil {
		return nil, nil, nil, fmt.Errorf("write to %s: %w", s, errNotLocked)
	}
	if l.unsure() {
		return nil, nil, nil, fmt.Errorf("write to %s: %w", s, ErrLockLost)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	release := context.AfterFunc(l.held, func() { cancel(ErrLockLost) })
	return ctx, l, func() { release(); cancel(nil) }, nil
}

var errNotLocked = errors.New("the repository is not locked")
