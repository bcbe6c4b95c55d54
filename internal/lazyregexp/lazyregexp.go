// Package lazyregexp has regular expressions that are compiled when they are
// first used. A program with a hundred of them would otherwise compile all of
// them each time it starts, whatever it is called for. Start at [New].
package lazyregexp

import (
	"regexp"
	"sync"
)

// Regexp is a regular expression of package regexp. It is safe for concurrent use.
type Regexp struct {
	text     string
	compiled func() *regexp.Regexp
}

// New notes an expression, which must be valid: the first use panics when it is
// not.
func New(text string) *Regexp {
	return &Regexp{text, sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })}
}

// String returns the expression as it was given to [New].
func (r *Regexp) String() string { return r.text }

// MatchString tells whether s has a match.
func (r *Regexp) MatchString(s string) bool { return r.compiled().MatchString(s) }

// Match tells whether b has a match.
func (r *Regexp) Match(b []byte) bool { return r.compiled().Match(b) }

// FindStringSubmatch returns the first match in s and its groups, nil without one.
func (r *Regexp) FindStringSubmatch(s string) []string { return r.compiled().FindStringSubmatch(s) }

// FindStringSubmatchIndex returns where the first match in s and its groups begin and
// end, -1 for a group that is not in it; nil without a match.
func (r *Regexp) FindStringSubmatchIndex(s string) []int {
	return r.compiled().FindStringSubmatchIndex(s)
}

// ReplaceAllString returns src with replacement in the place of every match;
// $1 in it is the first group.
func (r *Regexp) ReplaceAllString(src, replacement string) string {
	return r.compiled().ReplaceAllString(src, replacement)
}
