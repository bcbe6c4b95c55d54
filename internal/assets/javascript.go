package assets

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// token is a piece of JavaScript that counts: blanks and comments do not.
type token struct {
	kind       tokenKind
	start, end int
}

type tokenKind byte

const (
	word     tokenKind = iota // a name, a keyword, a number
	sign                      // one character of punctuation
	quoted                    // a string, or a template without ${}, with its quotes
	fragment                  // a part of a template with ${}
	regex
)

// errScript says that the text was not understood.
var errScript = errors.New("not understood")

// scanScript reads the tokens of JavaScript (ECMA-262, section 12), as far as it takes to
// know what is a comment, a string or a regular expression. Whether a slash begins
// one of these or divides depends on the grammar, and is guessed by the token
// before it. A wrong guess nearly always ends in a string or an expression that its line
// breaks off, which is errScript.
func scanScript(src string) ([]token, error) {
	s := scanner{src: src}
	for s.at < len(src) {
		if err := s.step(); err != nil {
			return nil, err
		}
	}
	if len(s.templates) > 0 {
		return nil, errScript
	}
	return s.tokens, nil
}

type scanner struct {
	src       string
	at        int
	tokens    []token
	templates []int  // depth of braces at each open ${
	depth     int    // of braces
	heads     []bool // open parentheses: does it follow if, while, for or with?
	headed    bool   // the parenthesis closed last did
}

func (s *scanner) add(kind tokenKind, end int) {
	s.tokens = append(s.tokens, token{kind, s.at, end})
	s.at = end
}

// step reads one token, blank or comment.
func (s *scanner) step() error {
	rest := s.src[s.at:]
	switch c := rest[0]; {
	case strings.IndexByte(" \t\r\n\f\v", c) >= 0:
		s.at++
	case strings.HasPrefix(rest, "//"):
		s.skip("\n")
	case strings.HasPrefix(rest, "/*"):
		s.at += 2
		return s.skip("*/")
	case c == '"' || c == '\'':
		return s.string()
	case c == '`':
		return s.template(quoted)
	case c == '/' && s.expression():
		return s.regex()
	case c == '}' && len(s.templates) > 0 && s.templates[len(s.templates)-1] == s.depth:
		s.templates = s.templates[:len(s.templates)-1]
		return s.template(fragment)
	case wordly(c):
		end := s.at
		for end < len(s.src) && wordly(s.src[end]) {
			end++
		}
		s.add(word, end)
	default:
		s.nest(c)
		s.add(sign, s.at+1)
	}
	return nil
}

// skip goes on after the next end.
func (s *scanner) skip(end string) error {
	i := strings.Index(s.src[s.at:], end)
	if i < 0 {
		s.at = len(s.src)
		return errScript
	}
	s.at += i + len(end)
	return nil
}

// nest keeps count of brackets.
func (s *scanner) nest(c byte) {
	switch c {
	case '{':
		s.depth++
	case '}':
		s.depth--
	case '(':
		s.heads = append(s.heads, s.last(word, "if", "while", "for", "with"))
	case ')':
		if s.headed = false; len(s.heads) > 0 {
			s.headed = s.heads[len(s.heads)-1]
			s.heads = s.heads[:len(s.heads)-1]
		}
	}
}

// last tells whether the token before is one of these.
func (s *scanner) last(kind tokenKind, texts ...string) bool {
	if len(s.tokens) == 0 {
		return false
	}
	t := s.tokens[len(s.tokens)-1]
	for _, text := range texts {
		if t.kind == kind && s.src[t.start:t.end] == text {
			return true
		}
	}
	return false
}

// expression tells whether a slash here begins a regular expression: where an
// operand is missing. After a brace it is one, since blocks are more often followed by an
// expression than objects are divided.
func (s *scanner) expression() bool {
	if len(s.tokens) == 0 {
		return true
	}
	switch t := s.tokens[len(s.tokens)-1]; t.kind {
	case word:
		return s.last(word, "return", "typeof", "instanceof", "in", "of", "new", "delete", "void", "throw", "case", "do", "else", "await", "yield")
	case quoted, regex:
		return false
	case fragment:
		return s.src[t.end-1] != '`'
	}
	if s.last(sign, ")") {
		return s.headed
	}
	if n := len(s.tokens); n > 1 && (s.last(sign, "+") || s.last(sign, "-")) { // x++ / y
		if before := s.tokens[n-2]; before.kind == sign && before.end == s.tokens[n-1].start && s.src[before.start] == s.src[before.end] {
			return false
		}
	}
	return !s.last(sign, "]")
}

func wordly(c byte) bool {
	return c == '_' || c == '$' || c == '#' || c == '\\' || c >= utf8.RuneSelf || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}
