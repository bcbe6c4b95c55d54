package chaos

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// round is one operation with one fault in it.
type round struct {
	t      *testing.T
	n      int
	fleet  *fleet
	fault  fault
	random *rand.Rand

	op       operation
	host     string        // that the fault happens to
	inside   bool          // in the host's transaction
	moment   time.Duration // after the start of the operation, or of that
	lasts    time.Duration // until the fault is mended
	deployer *deployer

	second *deployer // of "two deployers"
	other  operation
	froze  string // the process of "service stopped"

	before, after map[string]state
	hit           bool
	rest          time.Duration // what the hosts took to come to rest
}

// play lets the round happen and looks at what is left of it.
func (r *round) play(t *testing.T) {
	t.Helper()
	r.t = t
	r.op = choose(r.random, r.before, r.fault.early)
	r.host = hosts[r.random.IntN(len(hosts))]
	span := r.fleet.lasts
	switch {
	case r.fault.early:
		span /= 5
	case r.fault.inside || r.random.IntN(3) > 0:
		r.inside = true
		span = 3 * time.Second // what a transaction takes, going back too
	}
	r.moment = time.Duration(r.random.Float64() * float64(span))
	r.lasts = r.fault.least + time.Duration(r.random.Float64()*float64(4*time.Second))
	if r.random.IntN(3) == 0 {
		r.fleet.greet(t, fmt.Sprintf("hello-%d", r.n))
	}

	r.deployer = r.fleet.start(t, "first", r.op)
	if r.inside {
		r.awaitTransaction()
	}
	time.Sleep(r.moment) // the random moment itself; nothing is hoped for
	injected := false
	if r.deployer.lives() {
		injected = r.inject()
	}
	r.deployer.wait(t)
	if r.second != nil {
		r.second.wait(t)
	}
	ended := time.Now()
	r.after = r.fleet.settled(t)
	r.rest = time.Since(ended)
	r.hit = injected && (r.deployer.code() != r.op.code || r.fault.hit != nil && r.fault.hit(r))
	r.judge()
	if t.Failed() {
		t.Logf("the deployer said:\n%s", r.deployer.out.String())
		if r.second != nil {
			t.Logf("the second deployer said:\n%s", r.second.out.String())
		}
	}
	t.Log(r)
}

// awaitTransaction waits until the host is in the middle of the operation, or
// the operation is over.
func (r *round) awaitTransaction() {
	for r.deployer.lives() {
		if _, err := r.fleet.on(r.host, `for i in $(seq 50); do systemctl is-active -q kinectl-hello && exit; sleep 0.01; done; exit 1`); err == nil {
			return
		}
	}
}

// inject lets the fault happen, and mends it after a while, whatever the
// deployer does meanwhile.
func (r *round) inject() bool {
	mend, err := r.fault.inject(r)
	if errors.Is(err, errNothing) {
		return false
	}
	if err != nil {
		r.t.Fatalf("%s: %v", r.fault.name, err)
	}
	if mend == nil {
		return true
	}
	time.Sleep(r.lasts)
	if err := mend(); err != nil {
		r.t.Fatalf("mend %s: %v", r.fault.name, err)
	}
	return true
}

// judge compares the hosts with what was asked for. That each is healthy and
// clean has been seen already.
func (r *round) judge() {
	for _, h := range hosts {
		wanted := []string{r.before[h].version, r.op.version}
		if r.second != nil {
			wanted = append(wanted, r.other.version)
		}
		now := r.after[h].version
		if !slices.Contains(wanted, now) || strings.HasPrefix(now, "9") {
			r.t.Errorf("%s is on %s, which is none of %v, or a bad one", h, now, wanted)
		}
		if r.deployer.code() == 0 && r.second == nil && now != r.op.version {
			r.t.Errorf("%s is on %s, and the deployer ended with exit code 0", h, now)
		}
	}
	if r.deployer.code() == 3 && r.op.code != 3 && !r.fault.sickens {
		r.t.Errorf("a good version was rolled back for %s", r.fault.name)
	}
	if r.deployer.code() == 4 && r.second == nil {
		r.t.Error("refused by a lock, and there was nobody else")
	}
}

// news are the lines that the round added to a host's history.
func (r *round) news(host string) []string {
	old := r.before[host].history
	if now := r.after[host].history; len(now) >= len(old) {
		return now[len(old):]
	}
	return r.after[host].history // it was rotated
}

func (r *round) String() string {
	var on []string
	for _, h := range hosts {
		on = append(on, fmt.Sprintf("%s %s→%s", h, r.before[h].version, r.after[h].version))
	}
	effect := "no effect"
	if r.hit {
		effect = "hit"
	}
	if r.second != nil && r.second.cmd.ProcessState != nil {
		effect += fmt.Sprintf(" (the second, %s, ended with exit code %d)", r.other, r.second.code())
	}
	exit := 0
	if r.deployer != nil && r.deployer.cmd.ProcessState != nil {
		exit = r.deployer.code()
	}
	where := fmt.Sprintf("%.2f s into it", r.moment.Seconds())
	if r.inside {
		where = fmt.Sprintf("%.2f s into its transaction", r.moment.Seconds())
	}
	return fmt.Sprintf("round %d: %s; %s (%s, %s for %.1f s): %s; exit code %d, undisturbed %d; %s; at rest %.1f s later",
		r.n, r.op, r.fault.name, r.host, where, r.lasts.Seconds(), effect, exit, r.op.code, strings.Join(on, ", "), r.rest.Seconds())
}
