// Package diag holds findings: what is wrong with a user's file, where, and
// what to do about it. Start at [Finding]; [Findings.Write] prints them for
// people, and a Finding marshals to the documented JSON object.
//
// The package is pure: it reads no file. Whoever makes a finding hands over
// the line that it points at.
package diag

import (
	"cmp"
	"slices"
)

// Severity says whether a finding stops the work.
type Severity string

// An Error stops every verb with exit code 2; a Warning is only shown. A Note
// tells what holds and asks for nothing.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Note    Severity = "note"
)

// Finding is one mistake in one place.
type Finding struct {
	Rule     string   `json:"rule"`     // name of the rule, in kebab-case: "unknown-key"
	Severity Severity `json:"severity"` // Error, Warning or Note
	File     string   `json:"file"`     // as the user named it
	Path     string   `json:"path"`     // "service.limits.mem"; empty for a mistake of syntax
	Line     int      `json:"line"`     // from 1; 0 when the finding has no place
	Column   int      `json:"column"`   // from 1, counted in characters
	Message  string   `json:"message"`  // what is wrong, one line, no full stop
	Hint     string   `json:"hint"`     // what to do; may be empty
	Excerpt  string   `json:"-"`        // the source line, without its newline
	Width    int      `json:"-"`        // characters to underline from Column; at least 1 is drawn
}

// Findings are the mistakes of one run, over one file or many. The nil value
// says that nothing is wrong.
type Findings []Finding

// Sort puts them in the order of reading: by file, line and column. What is
// found in one place keeps its order.
func (fs Findings) Sort() {
	slices.SortStableFunc(fs, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// Count returns how many of them have the given severity.
func (fs Findings) Count(s Severity) int {
	n := 0
	for _, f := range fs {
		if f.Severity == s {
			n++
		}
	}
	return n
}

// HasErrors reports whether one of them stops the work.
func (fs Findings) HasErrors() bool { return fs.Count(Error) > 0 }
