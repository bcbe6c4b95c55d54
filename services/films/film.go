package main

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Film is one film, as it is in the database and in JSON.
type Film struct {
	ID      int64  `json:"id"`
	Title   string `json:"title"`
	Year    int    `json:"year"`
	Minutes int    `json:"minutes,omitempty"` // 0: nobody knows
}

// faults are all reasons why f cannot be kept, for whoever sent it.
func (f Film) faults() (all []string) {
	const longest = 200 // characters
	switch n := utf8.RuneCountInString(f.Title); {
	case strings.TrimSpace(f.Title) == "":
		all = append(all, "title is missing")
	case n > longest:
		all = append(all, "title has more than 200 characters")
	case strings.ContainsFunc(f.Title, unicode.IsControl):
		all = append(all, "title has a control character")
	}
	if f.Year < 1888 || f.Year > 2200 { // the first film is of 1888
		all = append(all, "year must be 1888 to 2200")
	}
	if f.Minutes < 0 || f.Minutes > 10_000 {
		all = append(all, "minutes must be 1 to 10000, or left out")
	}
	return all
}
