// Package calendar reads calendar events as systemd writes them, such as
// "Mon..Fri *-*-* 04:30". Start at [Parse], which says in which column an
// expression is wrong.
//
// The source is the section CALENDAR EVENTS of systemd.time(7). Whatever Parse
// accepts, systemd accepts on a host whose tzdata has the timezone; zone.go knows
// the names of Debian 12. Parse refuses what the manual does not
// tell of and systemd lets pass: the ranges "Mon-Fri" and times "@12345" of old,
// words spelled wrong on purpose, timezones without an area but UTC, and blanks
// at the ends. It also refuses what cannot be meant: a day that none of its
// months has, a repetition that never comes, a range that ends out of bounds.
//
// The package is pure.
package calendar

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Expression is what a caller needs to know of a calendar event.
type Expression struct {
	// Years says that it names its years, so that it comes to an end, or is at
	// its end already.
	Years bool
}

// Error is what is wrong with an expression, and where.
type Error struct {
	Column  int    // of the first wrong character, from 1, in characters
	Width   int    // how many characters are meant; at least 1
	Message string // what is wrong
	Hint    string // what to write instead
}

// Error returns the message and the column.
func (e *Error) Error() string { return fmt.Sprintf("column %d: %s", e.Column, e.Message) }

// Parse reads one expression. An error is always an *[Error].
func Parse(text string) (Expression, error) {
	p := &parser{text: text}
	e := p.expression()
	if p.err != nil {
		return Expression{}, p.err
	}
	return e, nil
}

// Words returns the shorthands that may stand for an expression.
func Words() []string {
	return []string{"minutely", "hourly", "daily", "weekly", "monthly", "quarterly", "semiannually", "yearly", "annually"}
}

const example = "like daily, Mon..Fri 04:30 or *-*-1 06:00"

// parser walks an expression from left to right. The first fault ends it.
type parser struct {
	text string
	i    int // byte offset in text
	err  *Error
}

// fault reports what is wrong with the bytes from one offset to another.
func (p *parser) fault(from, to int, hint, format string, args ...any) {
	if p.err != nil {
		return
	}
	p.err = &Error{
		Column:  utf8.RuneCountInString(p.text[:from]) + 1,
		Width:   max(1, utf8.RuneCountInString(p.text[from:min(max(from, to), len(p.text))])),
		Message: fmt.Sprintf(format, args...),
		Hint:    hint,
	}
}

// peek returns the next byte, and 0 at the end.
func (p *parser) peek() byte {
	if p.i < len(p.text) {
		return p.text[p.i]
	}
	return 0
}

// span takes the bytes that are in set.
func (p *parser) span(set string) string {
	from := p.i
	for p.i < len(p.text) && strings.IndexByte(set, p.text[p.i]) >= 0 {
		p.i++
	}
	return p.text[from:p.i]
}

// word is the offset where the word at the given one ends.
func (p *parser) word(from int) int {
	if i := strings.IndexByte(p.text[from:], ' '); i >= 0 {
		return from + i
	}
	return len(p.text)
}

func (p *parser) expression() Expression {
	switch {
	case strings.TrimSpace(p.text) == "":
		p.fault(0, len(p.text), example, "a calendar expression is empty")
	case p.text[0] == ' ':
		p.fault(0, 1, "remove the blanks", "a calendar expression cannot begin with a blank")
	case strings.HasSuffix(p.text, " "):
		p.fault(len(p.text)-1, len(p.text), "remove the blanks", "a calendar expression cannot end in a blank")
	case len(p.text) > 1000:
		p.fault(0, 1, example, "a calendar expression cannot have %d bytes", len(p.text))
	case len(strings.Fields(p.text)) == 5:
		p.fault(0, len(p.text), "30 4 * * 1 of cron is Mon 04:30 here, and */15 * * * * is *:0/15", "this is an expression of cron, not of systemd")
	}
	p.timezone()
	if p.err != nil {
		return Expression{}
	}
	if slices.Contains(Words(), strings.ToLower(p.text)) {
		return Expression{}
	}
	p.weekdays()
	e := p.date()
	p.time()
	if p.err == nil && p.i < len(p.text) {
		p.fault(p.i, p.word(p.i), example, "nothing can follow the time")
	}
	return e
}

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
