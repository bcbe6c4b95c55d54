// Package doctor looks for what is missing on a machine, in an infra repository
// and on its hosts. A check is a name and a function; start at [Run].
package doctor

import (
	"context"
	"sync"
	"time"
)

// Level is how bad it is.
type Level string

// The levels. Only Fail keeps something from working.
const (
	OK   Level = "ok"
	Warn Level = "warn"
	Fail Level = "fail"
)

// Finding is what a check has to say.
type Finding struct {
	Check  string `json:"check"`
	Level  Level  `json:"level"`
	Detail string `json:"detail,omitempty"`
	Mend   string `json:"mend,omitempty"` // a command, where one mends it
}

// Check is one thing to look at. What it found may say that there is more to look at.
type Check struct {
	Name string
	Look func(context.Context) []Finding            // Check may be left empty in each
	Open func(context.Context) ([]Finding, []Check) // instead of Look
}

// The bounds of Run: checks at once, and the time that one may take.
const (
	atOnce   = 8
	patience = 30 * time.Second
)

// Run looks at everything, several at once, and returns the findings in the
// order of the checks, what a check opens behind its own. One that does not end in half a
// minute is given up through its context; the time of those that it opens is theirs.
func Run(ctx context.Context, checks []Check) []Finding {
	found := make([][]Finding, len(checks))
	places := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for i, c := range checks {
		all.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			more := c.look(ctx, &found[i])
			found[i] = append(found[i], Run(ctx, more)...)
		})
	}
	all.Wait()
	flat := []Finding{}
	for _, f := range found {
		flat = append(flat, f...)
	}
	return flat
}

// look keeps the bound of one check.
func (c Check) look(ctx context.Context, found *[]Finding) (more []Check) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if c.Open != nil {
		*found, more = c.Open(ctx)
	} else {
		*found = c.Look(ctx)
	}
	for i := range *found {
		if (*found)[i].Check == "" {
			(*found)[i].Check = c.Name
		}
	}
	return more
}

// Failed reports whether something that is needed is missing.
func Failed(found []Finding) bool {
	for _, f := range found {
		if f.Level == Fail {
			return true
		}
	}
	return false
}

func one(level Level, detail, mend string) []Finding {
	return []Finding{{Level: level, Detail: detail, Mend: mend}}
}
