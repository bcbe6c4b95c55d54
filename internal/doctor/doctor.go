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

// Check is one thing to look at.
type Check struct {
	Name string
	Look func(context.Context) []Finding // Check may be left empty in each
}

// The bounds of Run: checks at once, and the time that one may take.
const (
	atOnce   = 8
	patience = 30 * time.Second
)

// Run looks at everything, several at once, and returns the findings in the
// order of the checks. One that does not end in half a minute is given up through its context.
func Run(ctx context.Context, checks []Check) []Finding {
	found := make([][]Finding, len(checks))
	places := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for i, c := range checks {
		all.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			ctx, cancel := context.WithTimeout(ctx, patience)
			defer cancel()
			found[i] = c.Look(ctx)
			for n := range found[i] {
				if found[i][n].Check == "" {
					found[i][n].Check = c.Name
				}
			}
		})
	}
	all.Wait()
	flat := []Finding{}
	for _, f := range found {
		flat = append(flat, f...)
	}
	return flat
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
