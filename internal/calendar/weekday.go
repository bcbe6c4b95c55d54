package calendar

import "strings"

// days are the names of the week, the order of which ranges follow.
func days() []string {
	return []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}
}

// weekday returns the place of a day in the week by its name or its first
// three letters, and -1 for any other word.
func weekday(word string) int {
	word = strings.ToLower(word)
	for i, day := range days() {
		if word == day || word == day[:3] {
			return i
		}
	}
	return -1
}

func isWeekday(word string) bool { return weekday(word) >= 0 }

// weekdays takes "Mon,Wed..Fri " where it stands, with the blanks after it. A
// comma may be the last of it.
func (p *parser) weekdays() {
	if p.err != nil || strings.IndexByte(letters, p.peek()) < 0 {
		return
	}
	for {
		first := p.day("daily, weekly or another shorthand, or a weekday like Mon")
		if strings.HasPrefix(p.text[p.i:], "..") {
			p.i += 2
			from := p.i
			if last := p.day("close the range, like Mon..Fri"); p.err == nil && last < first {
				p.fault(from, p.i, "a week begins on Monday: write Sat,Sun or Fri..Sun,Mon", "a range of weekdays cannot go backwards")
			}
		}
		switch {
		case p.err != nil:
			return
		case p.i == len(p.text):
			return
		case p.peek() == '-':
			p.fault(p.i, p.i+1, "write Mon..Fri for a range", "weekdays are not joined by -")
			return
		case p.peek() == ',':
			p.i++
		case p.peek() != ' ':
			p.fault(p.i, p.i+1, "a blank before the date or the time", "this cannot follow a weekday")
			return
		}
		if p.i == len(p.text) || p.peek() == ' ' {
			p.span(" ")
			return
		}
	}
}

// day takes the name of one day.
func (p *parser) day(hint string) int {
	if p.err != nil {
		return -1
	}
	from := p.i
	name := p.span(letters)
	d := weekday(name)
	if d < 0 {
		if meant := nearest(name); meant != "" {
			hint = "did you mean " + meant + "?"
		}
		if name == "" {
			p.fault(from, from+1, hint, "a weekday is missing here")
			return d
		}
		p.fault(from, p.i, hint, "there is no weekday or shorthand %s", name)
	}
	return d
}

// nearest returns the day or shorthand that begins most like a word, if at
// least two letters are alike.
func nearest(word string) string {
	best, alike := "", 1
	for _, known := range append(days(), Words()...) {
		n := 0
		for n < min(len(known), len(word)) && known[n] == strings.ToLower(word)[n] {
			n++
		}
		if n > alike {
			best, alike = known, n
		}
	}
	return best
}
