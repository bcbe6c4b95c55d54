package chaos

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestChaos runs rounds, each a release of some kind with one fault at a random
// moment of it. The short form goes on until every kind of fault has hit once.
//
//	CHAOS_SEED=N     the same operations, faults, hosts and moments again
//	CHAOS_ROUNDS=N   the long form: N rounds in which the fault hit
//	CHAOS_FROM=N     begin with round N of the seed
//	CHAOS_FAULT=F    only the faults with these words in their name
//	CHAOS_KEEP=yes   leave the lab up for a look after a failure
func TestChaos(t *testing.T) {
	needs(t)
	seed := number(t, "CHAOS_SEED", int(time.Now().UnixNano()%1e6))
	wanted := number(t, "CHAOS_ROUNDS", 0)
	t.Logf("replay with CHAOS_SEED=%d", seed)
	f := newFleet(t)
	kinds := slices.DeleteFunc(faults(), func(k fault) bool { return !strings.Contains(k.name, os.Getenv("CHAOS_FAULT")) })
	if len(kinds) == 0 {
		t.Fatalf("no fault is called %q", os.Getenv("CHAOS_FAULT"))
	}
	c := &counts{tries: map[string]int{}, hits: map[string]int{}}
	t.Cleanup(func() { t.Log(c.table(kinds, seed)) })
	order := rand.New(rand.NewPCG(uint64(seed), 0)).Perm(len(kinds))
	now := f.settled(t)
	for n := number(t, "CHAOS_FROM", 1); !c.enough(wanted, kinds); n++ {
		kind := kinds[order[n%len(kinds)]]
		if wanted == 0 && c.hits[kind.name] > 0 {
			continue
		}
		r := &round{n: n, fleet: f, fault: kind, before: now, random: rand.New(rand.NewPCG(uint64(seed), uint64(n)))}
		start := time.Now()
		r.play(t)
		now = r.after
		c.add(kind.name, r.hit, time.Since(start))
		if t.Failed() {
			t.Fatalf("that was round %d of CHAOS_SEED=%d: %s", n, seed, r)
		}
		// About every second round hits.
		if most := 16 + 3*wanted/len(kinds); c.tries[kind.name] >= most && c.hits[kind.name] == 0 {
			t.Fatalf("%s hit nothing in %d rounds", kind.name, most)
		}
	}
}

// needs skips the test, or fails it where it is required, when there can be no lab.
func needs(t *testing.T) {
	t.Helper()
	why := ""
	if os.Geteuid() != 0 {
		why = "not root; run it with sudo"
	}
	for _, program := range []string{"systemd-nspawn", "debootstrap", "ansible-playbook", "ssh", "curl", "ip"} {
		if _, err := exec.LookPath(program); err != nil && why == "" {
			why = program + " is not installed; run `make deps`"
		}
	}
	switch {
	case why != "" && os.Getenv("KINECTL_E2E") == "required":
		t.Fatal(why)
	case why != "":
		t.Skip(why)
	}
}

// number reads a setting of the test.
func number(t *testing.T, variable string, otherwise int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		t.Fatalf("%s=%q: want a number", variable, text)
	}
	return n
}

// counts is what was tried and what of it hit: a round whose fault had no
// effect proves nothing.
type counts struct {
	tries, hits map[string]int
	took        time.Duration
}

func (c *counts) add(kind string, hit bool, took time.Duration) {
	c.tries[kind]++
	if hit {
		c.hits[kind]++
	}
	c.took += took
}

func (c *counts) total(of map[string]int) (sum int) {
	for _, n := range of {
		sum += n
	}
	return sum
}

// enough: so many hits, or in the short form one of each kind.
func (c *counts) enough(wanted int, kinds []fault) bool {
	if wanted > 0 {
		return c.total(c.hits) >= wanted
	}
	return !slices.ContainsFunc(kinds, func(k fault) bool { return c.hits[k.name] == 0 })
}

func (c *counts) table(kinds []fault, seed int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d: %d rounds in which the fault hit, of %d, in %.0f s\n", seed, c.total(c.hits), c.total(c.tries), c.took.Seconds())
	fmt.Fprintf(&b, "| fault | hits | of rounds |\n| --- | --- | --- |\n")
	for _, k := range kinds {
		fmt.Fprintf(&b, "| %s | %d | %d |\n", k.name, c.hits[k.name], c.tries[k.name])
	}
	return b.String()
}
