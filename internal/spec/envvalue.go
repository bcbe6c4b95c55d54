package spec

import "strings"

// value reads what stands after the equals sign, up to the end of the line
// that ends it, by the states of systemd's own reader:
// blank (before text or after a closing quote), bare, single, double.
func (s *scanner) value(v *Variable) {
	const (
		blank = iota
		bare
		single
		double
	)
	for s.peek(0) == ' ' || s.peek(0) == '\t' {
		s.next()
	}
	var b builder
	var opened Pos // of the last quote
	state, gap := blank, false
	v.Value = s.at(1)
	for !s.eof() {
		if s.ahead("{{") {
			if state == blank {
				state = bare
			}
			b.part(s.expression())
			v.reach(s)
			continue
		}
		if s.ahead("{%") || s.ahead("{#") {
			s.fault("bad-expression", s.at(2), `only {{ variable }} is allowed; write \{ for the character itself`, "%s is not allowed here", string(s.text[s.i:s.i+2]))
		}
		at, r := s.at(1), s.next()
		switch {
		case state == single && r == '\'', state == double && r == '"':
			state = blank
		case state == single:
			b.kept(r)
		case state == double && r == '\\' && !s.eof():
			b.escaped(s.next())
		case state == double:
			b.kept(r)
		case r == '\n':
			v.Parts = b.done(state == bare)
			return
		case state == blank && (r == ' ' || r == '\t'):
			gap = true
		case state == blank && gap:
			s.fault("bad-line", at, "put all of it in quotes; a comment needs a line of its own", "text after the closing quote would be glued to the value")
			s.restOfLine()
			return
		case state == blank && r == '\'':
			state, opened = single, at
		case state == blank && r == '"':
			state, opened = double, at
		case r == '\\' && s.peek(0) == '\n':
			state = bare
			s.next()
			b.keep() // blanks before a continuation are no end
		case r == '\\' && !s.eof():
			state = bare
			b.kept(s.next())
		default:
			state = bare
			b.rune(r)
		}
		v.reach(s)
	}
	if state == single || state == double {
		s.fault("unclosed-quote", opened, "close it, or escape it with a backslash", "this quote is never closed")
	}
	v.Parts = b.done(state == bare)
}

// reach widens the place of the value to where the scanner is, as long as
// that is in the value's first line.
func (v *Variable) reach(s *scanner) {
	if s.line == v.Value.Line {
		v.Value.Width = max(1, s.column-v.Value.Column)
	}
}

// builder collects the parts of a value.
type builder struct {
	parts   []Part
	literal strings.Builder
	trim    int // length of the literal without the bare blanks at its end
}

func (b *builder) rune(r rune) {
	b.literal.WriteRune(r)
	if r != ' ' && r != '\t' {
		b.trim = b.literal.Len()
	}
}

// kept is rune for a character that quotes or an escape protect from trimming.
func (b *builder) kept(r rune) {
	b.literal.WriteRune(r)
	b.keep()
}

// keep protects what has been added so far from trimming.
func (b *builder) keep() { b.trim = b.literal.Len() }

// escaped adds what a backslash and r mean inside of double quotes.
func (b *builder) escaped(r rune) {
	if r == '\n' {
		return
	}
	if !strings.ContainsRune("\"\\`$", r) {
		b.kept('\\')
	}
	b.kept(r)
}

func (b *builder) part(p Part) {
	b.flush(b.literal.Len())
	if p.Expression != "" {
		b.parts = append(b.parts, p)
	}
}

func (b *builder) flush(n int) {
	if n > 0 {
		b.parts = append(b.parts, Part{Literal: b.literal.String()[:n]})
	}
	b.literal.Reset()
	b.trim = 0
}

// done returns the parts; blanks at the end of bare text are no part of them.
func (b *builder) done(bare bool) []Part {
	if bare {
		b.flush(b.trim)
	} else {
		b.flush(b.literal.Len())
	}
	return b.parts
}
