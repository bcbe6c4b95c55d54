package spec

import (
	"slices"
	"strings"
	"unicode"
)

// expression reads {{ … }} at the scanner's place. What may stand inside is a
// part of Jinja that Ansible resolves and that we can understand before a
// host is touched:
//
//	expression = name { "." name | "[" literal "]" } { "|" filter }
//	filter     = name { "." name } [ "(" [ argument { "," argument } ] ")" ]
//	argument   = [ name "=" ] ( literal | name { "." name } )
//	literal    = 'text' | "text" | number
//
// It always gets past the closing braces, or to the end of the line.
func (s *scanner) expression() Part {
	opened := s.at(2)
	e := &expression{s: s, part: Part{}}
	s.next()
	s.next()
	from := s.i
	e.parse()
	if e.ok() {
		e.part.Expression = strings.TrimSpace(string(s.text[from:s.i]))
		e.blanks()
		if !s.ahead("}}") {
			e.wrong("expected | or }} here")
		}
	}
	for !s.eof() && s.peek(0) != '\n' && !s.ahead("}}") {
		s.next()
	}
	if !s.ahead("}}") {
		s.fault("bad-expression", opened, "close it with }} in the same line; write \\{ for the character itself", "this {{ is never closed")
		return Part{}
	}
	s.next()
	s.next()
	if !e.ok() {
		s.fault("bad-expression", e.at, "an Ansible variable, like {{ log_level }} or {{ log_level | default('info') }}", "%s", e.message)
		return Part{}
	}
	slices.Sort(e.part.Needs)
	e.part.Needs = slices.Compact(e.part.Needs)
	return e.part
}

// expression is the parser of one; it stops at the first fault.
type expression struct {
	s       *scanner
	part    Part
	at      Pos
	message string
}

func (e *expression) ok() bool { return e.message == "" }

func (e *expression) wrong(message string) {
	if e.ok() {
		e.at, e.message = e.s.at(1), message
	}
}

func (e *expression) parse() {
	e.blanks()
	variable := e.name("an expression starts with the name of a variable")
	e.attributes()
	optional := false
	for first := true; e.ok() && e.take('|'); first = false {
		filter := e.name("expected the name of a filter after |")
		for e.ok() && e.s.peek(0) == '.' {
			e.s.next()
			filter += "." + e.name("expected a name after the dot")
		}
		// Only the first filter meets the variable while it is undefined.
		optional = optional || first && (filter == "default" || filter == "d")
		e.arguments()
	}
	if optional {
		e.part.Optional = variable
	} else {
		e.part.Needs = append(e.part.Needs, variable)
	}
}

// attributes reads .name and ['key'] after a variable.
func (e *expression) attributes() {
	for e.ok() {
		switch {
		case e.s.peek(0) == '.':
			e.s.next()
			e.name("expected a name after the dot")
		case e.s.peek(0) == '[':
			e.s.next()
			e.blanks()
			if !e.literal() {
				e.wrong("expected text in quotes or a number in [ ]")
			}
			if !e.take(']') {
				e.wrong("expected ] here")
			}
		default:
			return
		}
	}
}

// arguments reads the parentheses after a filter, if there are any.
func (e *expression) arguments() {
	if !e.ok() || !e.take('(') || e.take(')') {
		return
	}
	for e.ok() {
		e.blanks()
		if !e.literal() {
			name := e.name("expected a value here")
			if e.take('=') {
				e.blanks()
				if !e.literal() {
					name = e.name("expected a value after =")
				} else {
					name = ""
				}
			}
			e.attributes()
			if name != "" && !slices.Contains([]string{"true", "false", "none", "True", "False", "None"}, name) {
				e.part.Needs = append(e.part.Needs, name)
			}
		}
		switch {
		case e.take(')'):
			return
		case !e.take(','):
			e.wrong("expected , or ) here")
		}
	}
}

// name reads an identifier; message says what is wrong where there is none.
func (e *expression) name(message string) string {
	e.blanks()
	var name []rune
	for r := e.s.peek(0); r == '_' || r < unicode.MaxASCII && (unicode.IsLetter(r) || len(name) > 0 && unicode.IsDigit(r)); r = e.s.peek(0) {
		name = append(name, e.s.next())
	}
	if len(name) == 0 {
		e.wrong(message)
	}
	return string(name)
}

// literal reads a number or text in quotes, if one is there.
func (e *expression) literal() bool {
	switch r := e.s.peek(0); {
	case unicode.IsDigit(r):
		for unicode.IsDigit(e.s.peek(0)) || e.s.peek(0) == '.' {
			e.s.next()
		}
		return true
	case r == '\'' || r == '"':
		opened := e.s.at(1)
		e.s.next()
		for e.s.peek(0) != r {
			if e.s.eof() || e.s.peek(0) == '\n' {
				e.wrong("this quote is never closed")
				e.at = opened
				return true
			}
			if e.s.next() == '\\' && !e.s.eof() && e.s.peek(0) != '\n' {
				e.s.next()
			}
		}
		e.s.next()
		return true
	default:
		return false
	}
}

// blanks skips blanks; take reads one character if it is the next.
func (e *expression) blanks() {
	for e.s.peek(0) == ' ' || e.s.peek(0) == '\t' {
		e.s.next()
	}
}

func (e *expression) take(want rune) bool {
	e.blanks()
	if e.ok() && e.s.peek(0) == want {
		e.s.next()
		return true
	}
	return false
}
