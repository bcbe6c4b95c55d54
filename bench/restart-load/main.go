// Command restart-load is the clients of a service that is restarted below them,
// for bench/restart and the end-to-end tests.
//
//	restart-load OUT RATE CLIENTS URL [BODY]
//
// CLIENTS ask for URL at RATE requests a second together, until standard input
// ends: half of them over a connection that they keep, half over a new one each
// time; with BODY, every second of each kind sends it by POST. None asks twice.
// Then OUT gets a [result] in JSON, whole. Start at [run].
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/kinectl/kinectl/internal/atomicfile"
)

func main() {
	if err := run(os.Args[1:], os.Stdin); err != nil {
		panic(err) // bench/restart calls this, and ends with it
	}
}

// result is what all clients have seen.
type result struct {
	Seconds float64        `json:"seconds"`
	Sent    int            `json:"sent"`
	Kinds   map[string]int `json:"kinds"`  // sent, by method and connection
	Failed  int            `json:"failed"` // no answer, half of one, or one that is not 2xx
	Longest float64        `json:"longest_ms"`
	Waits   map[int]int    `json:"waits"`  // answers by their whole milliseconds
	Faults  map[string]int `json:"faults"` // by what was wrong
}

func run(args []string, until io.Reader) error {
	if len(args) != 4 && len(args) != 5 {
		return fmt.Errorf("restart-load: %d arguments", len(args))
	}
	rate, err := strconv.Atoi(args[1])
	if err != nil || rate < 1 {
		return fmt.Errorf("restart-load: rate %q", args[1])
	}
	clients, err := strconv.Atoi(args[2])
	if err != nil || clients < 1 {
		return fmt.Errorf("restart-load: clients %q", args[2])
	}
	target, err := url.Parse(args[3])
	if err != nil || target.Port() == "" {
		return fmt.Errorf("restart-load: %q is not like http://host:port/path", args[3])
	}
	bodies := []string{"", ""}
	if len(args) == 5 {
		bodies[1] = args[4]
	}
	stop := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, until)
		close(stop)
	}()
	found := load(target, rate, clients, bodies, stop)
	text, err := json.Marshal(found)
	if err != nil {
		return err
	}
	return atomicfile.Write(args[0], append(text, '\n'), 0o644)
}

// load lets the clients ask until stop is closed. Each has its own times to
// ask at; one that had to wait asks again at once until it has caught up, so a
// pause does not make the load less. How long an answer took is counted from the time
// that it was due to be asked for, or a pause would hide the waits of all who came after the first.
func load(target *url.URL, rate, clients int, bodies []string, stop <-chan struct{}) result {
	all := result{Kinds: map[string]int{}, Faults: map[string]int{}, Waits: map[int]int{}}
	var mu sync.Mutex
	var wg sync.WaitGroup
	interval := time.Duration(clients) * time.Second / time.Duration(rate)
	start := time.Now()
	for i := range clients {
		c := newClient(target, i%2 == 0, bodies[i/2%2])
		next := start.Add(interval * time.Duration(i) / time.Duration(clients))
		wg.Go(func() {
			seen := seen{faults: map[string]int{}, waits: map[int]int{}}
			for wait(next, stop) {
				seen.add(c.ask(), time.Since(next))
				next = next.Add(interval)
			}
			c.close()
			mu.Lock()
			defer mu.Unlock()
			all.add(c.kind(), seen)
		})
	}
	wg.Wait()
	all.Seconds = time.Since(start).Seconds()
	return all
}

// wait returns at the time, or false at once when stop is closed.
func wait(until time.Time, stop <-chan struct{}) bool {
	select {
	case <-stop:
		return false
	case <-time.After(time.Until(until)):
		return true
	}
}

// seen is what one client has seen.
type seen struct {
	sent    int
	longest time.Duration
	faults  map[string]int
	waits   map[int]int
}

func (s *seen) add(err error, took time.Duration) {
	s.sent++
	s.longest = max(s.longest, took)
	s.waits[int(took.Milliseconds())]++
	if err != nil {
		s.faults[err.Error()]++
	}
}

func (r *result) add(kind string, s seen) {
	r.Sent += s.sent
	r.Kinds[kind] += s.sent
	r.Longest = max(r.Longest, float64(s.longest.Microseconds())/1000)
	for wait, n := range s.waits {
		r.Waits[wait] += n
	}
	for fault, n := range s.faults {
		r.Failed += n
		r.Faults[fault] += n
	}
}
