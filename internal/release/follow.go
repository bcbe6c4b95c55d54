package release

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"
)

// settleLines is how long lines of a followed journal are held back, to bring those
// of several hosts into the order of time.
const settleLines = 200 * time.Millisecond

// reconnectAfter is the pause before a followed host that is lost is tried again.
const reconnectAfter = 2 * time.Second

// follow reads every host until ctx ends, each again when it is lost.
func (l *logs) follow(ctx context.Context, hosts []string, missing map[string]error) {
	type event struct {
		line LogLine
		host string // of a host that is lost or back
		err  error
	}
	events := make(chan event, 1024)
	var all sync.WaitGroup
	for _, host := range hosts {
		all.Go(func() {
			gone := missing[host] != nil
			for ctx.Err() == nil {
				back := func() {
					if gone {
						events <- event{host: host}
						gone = false
					}
				}
				err := l.read(ctx, host, append(l.query.filter(), l.place(host)...), func(line LogLine) {
					back()
					if line.Message != "" || line.Fields != nil {
						events <- event{line: line}
					}
				})
				if !gone && ctx.Err() == nil {
					gone = true
					events <- event{host: host, err: cmp.Or(err, errors.New("the connection has ended"))}
				}
				select {
				case <-ctx.Done():
				case <-time.After(reconnectAfter):
				}
			}
		})
	}
	go func() { all.Wait(); close(events) }()
	var held []LogLine
	flush := func() {
		for _, line := range newest(held, 0) {
			l.each(line)
		}
		held = held[:0]
	}
	tick := time.NewTicker(settleLines)
	defer tick.Stop()
	for {
		select {
		case e, ok := <-events:
			switch {
			case !ok:
				flush()
				return
			case e.host != "":
				flush()
				l.lost(e.host, e.err)
			default:
				held = append(held, e.line)
			}
		case <-tick.C:
			flush()
		}
	}
}

// place says where the journal of a host goes on for somebody who has read it:
// after the last line, or from the moment of the first look. All that was written
// since then comes, where journalctl by itself begins with the last ten lines.
func (l *logs) place(host string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if place := l.places[host]; place != "" {
		return []string{"--follow", "--no-tail", place}
	}
	return []string{"--follow", "--lines=0"}
}
