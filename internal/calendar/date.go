package calendar

import "strings"

// date takes "YEAR-MONTH-DAY" or "MONTH-DAY" where it stands, with the blanks
// after it. A "~" in the place of the last "-" counts days from the month's end.
func (p *parser) date() (e Expression) {
	if p.err != nil || p.i == len(p.text) {
		return e
	}
	if p.peek() == '@' {
		p.fault(p.i, p.i+1, "write the date: 2030-01-31 12:00", "a time in seconds cannot be told by people")
		return e
	}
	from := p.i
	parts := []component{p.component(false)}
	separators := ""
	for p.err == nil && (p.peek() == '-' || p.peek() == '~') && len(parts) < 3 {
		separators += string(p.peek())
		p.i++
		parts = append(parts, p.component(false))
	}
	switch {
	case p.err != nil:
		return e
	case len(parts) == 1:
		p.i = from // a time without a date
		return e
	case p.i < len(p.text) && p.peek() != ' ':
		p.unexpected("a blank before the time, like *-*-1 06:00")
		return e
	case len(parts) == 3 && separators[0] == '~':
		p.fault(parts[1].start-1, parts[1].start, "like *-02~03", "~ stands before the day only")
		return e
	}
	p.span(" ")
	backwards := strings.HasSuffix(separators, "~")
	of := day()
	if backwards {
		of = last()
	}
	if len(parts) == 3 {
		p.check(parts[0], year(), false)
		e.Years = !parts[0].any
		parts = parts[1:]
	}
	p.check(parts[0], month(), false)
	p.check(parts[1], of, backwards)
	if p.err == nil && !backwards {
		p.possible(parts[0], parts[1])
	}
	return e
}

// possible refuses a day that none of its months has, such as *-2-30.
func (p *parser) possible(months, days component) {
	longest := int64(31)
	if !months.any {
		longest = 29
		for _, it := range months.items {
			for m := it.start; m <= max(it.start, it.stop); m++ {
				longest = max(longest, lengthOf(m))
			}
			if it.stop == -1 && it.repeat > 0 {
				for m := it.start; m <= 12; m += it.repeat {
					longest = max(longest, lengthOf(m))
				}
			}
		}
	}
	for _, it := range days.items {
		if it.start > longest {
			p.fault(it.offset, it.end, "write ~01 for the last day of a month", "no month that is meant here has a day %d", it.start)
		}
	}
}

// lengthOf is the number of days of a month in a leap year.
func lengthOf(month int64) int64 {
	switch month {
	case 2:
		return 29
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// time takes "HOUR:MINUTE" or "HOUR:MINUTE:SECOND"; without it, it is midnight.
func (p *parser) time() {
	if p.err != nil || p.i == len(p.text) {
		return
	}
	from := p.i
	h := p.component(false)
	if p.err == nil && p.peek() != ':' {
		if p.i == len(p.text) {
			p.fault(from, p.i, "write 12:00 for a time, *-*-12 for a day", "a number alone is neither date nor time")
			return
		}
		p.unexpected("a time is like 04:30")
		return
	}
	p.check(h, hour(), false)
	p.i++
	m := p.component(false)
	p.check(m, minute(), false)
	if p.err != nil || p.i == len(p.text) {
		return
	}
	if p.peek() != ':' {
		p.unexpected("a time is like 04:30 or 04:30:15")
		return
	}
	p.i++
	p.check(p.component(true), second(), false)
}

// unexpected reports the next character.
func (p *parser) unexpected(hint string) {
	r := []rune(p.text[p.i:])[0]
	p.fault(p.i, p.i+len(string(r)), hint, "the character %q cannot stand here", r)
}
