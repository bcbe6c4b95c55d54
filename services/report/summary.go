package main

import (
	"fmt"
	"time"
)

// summary is the report.
type summary struct {
	Made     time.Time      `json:"made"`
	Films    int            `json:"films"`
	Minutes  int            `json:"minutes"` // of all whose length is known
	Longest  string         `json:"longest,omitempty"`
	ByDecade map[string]int `json:"by_decade"`
}

func summarize(films []film, now time.Time) summary {
	s := summary{Made: now.UTC().Truncate(time.Second), Films: len(films), ByDecade: map[string]int{}}
	longest := 0
	for _, f := range films {
		s.Minutes += f.Minutes
		s.ByDecade[fmt.Sprintf("%ds", f.Year/10*10)]++
		if f.Minutes > longest {
			longest, s.Longest = f.Minutes, f.Title
		}
	}
	return s
}
