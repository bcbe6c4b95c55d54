package calendar

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// field is what one component of a date or time counts, and its bounds.
type field struct {
	name     string
	from, to int64
}

func year() field   { return field{"year", 1970, 2199} }
func month() field  { return field{"month", 1, 12} }
func day() field    { return field{"day", 1, 31} }
func last() field   { return field{"day from the end of the month", 1, 28} } // what every month has
func hour() field   { return field{"hour", 0, 23} }
func minute() field { return field{"minute", 0, 59} }
func second() field { return field{"second", 0, 60*micro - 1} } // in microseconds

const micro = 1_000_000

// item is a value, a range or a repetition, as it stands.
type item struct {
	start, stop, repeat int64 // stop is -1 for no range, repeat 0 for none
	offset, end         int   // in the text
}

// component is a list of items; any is "*".
type component struct {
	any   bool
	items []item
	start int // in the text
}

// component takes one component. Its values are checked by check, since what
// they count is known only when the separator after them is.
func (p *parser) component(seconds bool) component {
	c := component{start: p.i}
	if p.err != nil {
		return c
	}
	if p.peek() == '*' {
		p.i++
		c.any = true
		if p.peek() == '/' || p.peek() == ',' {
			p.fault(p.i-1, p.i+1, "write 0/15 for every 15th", "* stands for every value, and only alone")
		}
		return c
	}
	for {
		it := item{stop: -1, offset: p.i}
		it.start = p.number(seconds)
		if strings.HasPrefix(p.text[p.i:], "..") {
			p.i += 2
			it.stop = p.number(seconds)
		}
		if p.err == nil && p.peek() == '/' {
			p.i++
			from := p.i
			if it.repeat = p.number(seconds); p.err == nil && it.repeat == 0 {
				p.fault(from, p.i, "", "a repetition cannot be 0")
			}
		}
		it.end = p.i
		c.items = append(c.items, it)
		if p.err != nil || p.peek() != ',' {
			return c
		}
		p.i++
	}
}

// number takes a number; seconds are in microseconds, rounded to them.
func (p *parser) number(seconds bool) int64 {
	if p.err != nil {
		return 0
	}
	from := p.i
	digits := p.span("0123456789")
	switch {
	case digits == "" && p.i == len(p.text):
		p.fault(from, from+1, example, "a number is missing at the end")
		return 0
	case digits == "" && p.peek() == '*':
		p.fault(from, from+1, "leave the others out", "* stands for every value, and only alone")
		return 0
	case digits == "":
		p.fault(from, p.i+1, example, "this is no number")
		return 0
	case len(strings.TrimLeft(digits, "0")) > 6:
		p.fault(from, p.i, "", "%s is too large", digits)
		return 0
	}
	v, _ := strconv.ParseInt(digits, 10, 64)
	if !seconds {
		return v
	}
	v *= micro
	if p.peek() != '.' || strings.HasPrefix(p.text[p.i:], "..") {
		return v
	}
	p.i++
	fraction := p.span("0123456789")
	if fraction == "" {
		p.fault(p.i-1, p.i, "digits after the point, or none", "a fraction is missing here")
		return 0
	}
	padded := (fraction + "0000000")[:7]
	f, _ := strconv.ParseInt(padded, 10, 64)
	return v + (f+5)/10
}

// check holds the values of a component against what it counts. A repetition
// must come at least once, or it says nothing; backwards, it goes down.
func (p *parser) check(c component, f field, backwards bool) {
	for _, it := range c.items {
		start, stop := it.start, it.stop
		if f.name == "year" {
			start, stop = fullYear(start), fullYear(stop)
		}
		end := f.to
		if stop != -1 {
			end = stop
		}
		never := start+it.repeat > end
		if backwards && stop == -1 {
			never = start-it.repeat < f.from
		}
		switch {
		case start < f.from || start > f.to || stop != -1 && (stop < f.from || stop > f.to):
			p.fault(it.offset, it.end, f.bounds(), "%s is no %s", p.text[it.offset:it.end], f.name)
		case stop != -1 && stop < start:
			p.fault(it.offset, it.end, "the smaller one first", "a range cannot go backwards")
		case f.name == "second" && it.repeat == 0 && stop != -1 && stop-start < micro:
			p.fault(it.offset, it.end, "like 5..5.5/0.1", "systemd refuses a range of less than a second without a repetition")
		case it.repeat > 0 && never:
			p.fault(it.offset, it.end, "leave the repetition out: "+f.bounds(), "the repetition never comes")
		}
	}
	if backwards {
		p.fromTheEnd(c)
	}
}

// fromTheEnd refuses what systemd's own check refuses of a list of days from
// the end of the month: it lowers the bound of 28 by 3 with each entry.
func (p *parser) fromTheEnd(c component) {
	items := slices.SortedFunc(slices.Values(c.items), func(a, b item) int { return cmp.Compare(a.start, b.start) })
	for i, it := range items {
		if most := last().to - 3*int64(i); max(it.start, it.stop) > most {
			p.fault(it.offset, it.end, "make it two timers", "systemd takes a day so far from the end of the month only alone")
		}
	}
}

// fullYear completes a year of two digits: 0 to 69 are in this century.
func fullYear(y int64) int64 {
	switch {
	case 0 <= y && y < 70:
		return y + 2000
	case 70 <= y && y < 100:
		return y + 1900
	}
	return y
}

// bounds says what a field takes.
func (f field) bounds() string {
	if f.name == "second" {
		return "a second is from 0 to 59.999999"
	}
	article := "a "
	if f.name == "hour" {
		article = "an "
	}
	return article + f.name + " is from " + strconv.FormatInt(f.from, 10) + " to " + strconv.FormatInt(f.to, 10)
}
