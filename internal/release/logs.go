package release

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kinectl/kinectl/internal/plan"
)

// readLimit is how long reading what is there may take, without following.
const readLimit = 30 * time.Second

// Logs calls each with the journal lines of p's service and its timers on all
// hosts of its group, in the order of time, and lost with every host that cannot be
// read, nil once it is back. Both are called by one goroutine at a time. A lost host
// does not stop the others; the error then wraps [ErrFailed] after all of them
// have ended. With Follow it returns nil when ctx ends.
//
// It needs no root on the host: a user of the group systemd-journal reads by
// itself, any other by `sudo -n`.
func Logs(ctx context.Context, o Options, p plan.Plan, q LogQuery, each func(LogLine), lost func(host string, err error)) error {
	hosts, err := o.Infra.Hosts(p.Group)
	if err != nil {
		return err
	}
	if hosts, _, err = o.choose(ctx, p.Group, hosts); err != nil {
		return err
	}
	l := &logs{infra: o.Infra, config: readSettings(o.Infra.Dir), units: unitsToRead(p), query: q, each: each, lost: lost, places: map[string]string{}}
	missing := l.past(ctx, hosts)
	if q.Follow {
		l.follow(ctx, hosts, missing)
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if len(missing) > 0 {
		return fmt.Errorf("the journal of %s is not in it: %w", strings.Join(slices.Sorted(maps.Keys(missing)), " "), ErrFailed)
	}
	return nil
}

// unitsToRead are the service, the one that stands in while it restarts, and the
// tasks of its timers.
func unitsToRead(p plan.Plan) []string {
	units := []string{p.Name + ".service", p.Name + "-next.service"}
	for _, t := range p.Timers {
		units = append(units, p.Name+"-"+t.Name+".service")
	}
	return units
}

type logs struct {
	infra  *Infra
	config settings
	units  []string
	query  LogQuery
	each   func(LogLine)
	lost   func(string, error)

	mu     sync.Mutex
	places map[string]string // host → option of journalctl to go on from
}

// past gives out what the journals have, and returns the hosts that it could not read.
func (l *logs) past(ctx context.Context, hosts []string) map[string]error {
	ctx, cancel := context.WithTimeoutCause(ctx, readLimit, fmt.Errorf("it did not end within %v", readLimit))
	defer cancel()
	var mu sync.Mutex
	var lines []LogLine
	missing := map[string]error{}
	var all sync.WaitGroup
	for _, host := range hosts {
		all.Go(func() {
			arguments := l.query.arguments(time.Now())
			var its []LogLine
			err := l.read(ctx, host, arguments, func(line LogLine) { its = append(its, line) })
			if slices.Contains(arguments, newestFirst) {
				slices.Reverse(its) // lines of one moment stay as they were written
			}
			mu.Lock()
			defer mu.Unlock()
			lines = append(lines, its...)
			if err != nil {
				missing[host] = err
			}
		})
	}
	all.Wait()
	for _, line := range newest(lines, l.query.Lines) {
		l.each(line)
	}
	for _, host := range slices.Sorted(maps.Keys(missing)) {
		l.lost(host, missing[host])
	}
	return missing
}

// newest brings lines into the order of time, and keeps the last n of them.
func newest(lines []LogLine, n int) []LogLine {
	slices.SortStableFunc(lines, func(a, b LogLine) int { return cmp.Or(a.Time.Compare(b.Time), strings.Compare(a.Host, b.Host)) })
	if n > 0 && len(lines) > n {
		lines = lines[len(lines)-n:]
	}
	return lines
}

// read runs journalctl on a host and calls each for its entries; for a followed
// journal once before, without fields, when the host has answered.
func (l *logs) read(ctx context.Context, host string, arguments []string, each func(LogLine)) error {
	argv, err := sshCommand(host, l.infra.Inventory, l.infra.answer.Connect[host], l.config, journal(l.units, arguments))
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir = l.infra.Dir
	cmd.WaitDelay = time.Second
	var problem tail
	cmd.Stderr = &problem
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	// A child of what is killed then may have the other end, and go on.
	defer context.AfterFunc(ctx, func() { _ = out.Close() })()
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 16<<20)
	reversed, first := slices.Contains(arguments, newestFirst), true
	for lines.Scan() {
		if clock, ok := strings.CutPrefix(lines.Text(), "@"); ok {
			l.mu.Lock()
			if l.places[host] == "" {
				l.places[host] = "--since=@" + clock
			}
			l.mu.Unlock()
			if slices.Contains(arguments, "--follow") {
				each(LogLine{Host: host})
			}
			continue
		}
		line, cursor, ok := parseLine(host, lines.Bytes())
		if !ok {
			continue
		}
		if first || !reversed { // the newest so far
			l.mu.Lock()
			l.places[host] = "--after-cursor=" + cursor
			l.mu.Unlock()
		}
		first = false
		each(line)
	}
	if err := lines.Err(); err != nil {
		_ = cmd.Process.Kill()
	}
	_, _ = io.Copy(io.Discard, out)
	err = cmd.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if text := strings.Join(strings.Fields(string(problem)), " "); err != nil && text != "" {
		return errors.New(text)
	}
	return err
}

// tail keeps the last of what a program complains of.
type tail []byte

func (t *tail) Write(p []byte) (int, error) {
	*t = append(*t, p...)
	*t = (*t)[max(0, len(*t)-1000):]
	return len(p), nil
}
