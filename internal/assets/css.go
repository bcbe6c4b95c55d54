package assets

import (
	"strings"
	"unicode/utf8"
)

// rewriteCSS visits the references of a style sheet: url(), the strings of
// @import and of image-set(). It follows CSS Syntax Level 3, section 4, as far as
// that takes to know what is a comment, a string and a name.
func rewriteCSS(src string, v *visitor) string {
	s := css{src: src, v: v}
	for s.at < len(src) {
		s.step()
	}
	s.out.WriteString(src[s.copied:])
	return s.out.String()
}

// css is the state of a scan.
type css struct {
	src       string
	v         *visitor
	out       strings.Builder
	at        int      // where it reads
	copied    int      // how much of src is in out
	importing bool     // after @import
	functions []string // the open parentheses, by the name before each
}

// step reads one token.
func (s *css) step() {
	rest := s.src[s.at:]
	switch c := rest[0]; {
	case strings.HasPrefix(rest, "/*"):
		if end := strings.Index(rest[2:], "*/"); end >= 0 {
			s.at += end + 4
		} else {
			s.at = len(s.src)
		}
	case c == '"' || c == '\'':
		start := s.at
		if s.string() && (s.importing || s.images()) {
			s.visit(start+1, s.at-1, string(c))
		}
		s.importing = false
	case c == '@':
		s.at++
		s.importing = strings.EqualFold(s.name(), "import")
	case named(c):
		s.word()
	case c == '(':
		s.open("")
	case c == ')':
		s.at++
		s.functions = s.functions[:max(len(s.functions)-1, 0)]
	case c == '{' || c == '}' || c == ';':
		// A parenthesis that nobody closed ends here at the latest.
		s.at++
		s.importing, s.functions = false, nil
	default:
		s.at++
	}
}

// word reads a name, and what url( holds.
func (s *css) word() {
	name := s.name()
	if s.at >= len(s.src) || s.src[s.at] != '(' {
		return
	}
	s.open(strings.ToLower(name))
	if !strings.EqualFold(name, "url") {
		return
	}
	s.blanks()
	start := s.at
	if start < len(s.src) && (s.src[start] == '"' || s.src[start] == '\'') {
		if s.string() {
			s.visit(start+1, s.at-1, s.src[start:start+1])
		}
	} else if end := s.unquoted(); end >= 0 {
		s.visit(start, end, "")
	} else {
		s.v.mention(unescapeCSS(s.src[start:s.at])) // no browser loads it, but it is meant
	}
	s.importing = false
}

// unquoted reads url(this) up to the parenthesis, and returns its end; -1 when
// the URL has something that only quotes would allow.
func (s *css) unquoted() int {
	for end := s.at; s.at < len(s.src); s.at++ {
		switch s.src[s.at] {
		case ')':
			return end
		case '\\':
			_, length := escapeAt(s.src[s.at+1:])
			s.at += length
		case '"', '\'', '(':
			if end := strings.IndexByte(s.src[s.at:], ')'); end >= 0 {
				s.at += end
			} else {
				s.at = len(s.src)
			}
			return -1
		case ' ', '\t', '\r', '\n', '\f':
			if trimmed := strings.TrimLeft(s.src[s.at:], " \t\r\n\f"); trimmed != "" && trimmed[0] != ')' {
				s.at = len(s.src) - len(trimmed)
				return -1
			}
			continue
		}
		end = s.at + 1
	}
	s.at = len(s.src)
	return -1
}

// string reads a string with its quotes; false for one that its line breaks off.
func (s *css) string() bool {
	quote := s.src[s.at]
	for s.at++; s.at < len(s.src); s.at++ {
		switch s.src[s.at] {
		case quote:
			s.at++
			return true
		case '\n', '\r', '\f':
			return false
		case '\\':
			s.at++
		}
	}
	s.at = len(s.src)
	return false
}

func (s *css) open(name string) {
	s.at++
	s.functions = append(s.functions, name)
}

// images tells whether a string here is an image: image-set("a.png" 1x), but not
// type("image/png") in it.
func (s *css) images() bool {
	if len(s.functions) == 0 {
		return false
	}
	inner := s.functions[len(s.functions)-1]
	return inner == "image-set" || inner == "-webkit-image-set"
}

// name reads letters, digits, - and _, with escapes.
func (s *css) name() string {
	start := s.at
	for s.at < len(s.src) && named(s.src[s.at]) {
		if s.src[s.at] == '\\' {
			s.at++
		}
		s.at++
	}
	s.at = min(s.at, len(s.src))
	return s.src[start:s.at]
}

func (s *css) blanks() {
	s.at = len(s.src) - len(strings.TrimLeft(s.src[s.at:], " \t\r\n\f"))
}

// visit hands out the URL in src[start:end] and writes what comes back.
func (s *css) visit(start, end int, quote string) {
	ref := unescapeCSS(s.src[start:end])
	got := s.v.reference(start, ref)
	if got == ref {
		return
	}
	s.out.WriteString(s.src[s.copied:start])
	s.out.WriteString(escapeCSS(got, quote))
	s.copied = end
}

func named(c byte) bool {
	return c == '-' || c == '_' || c == '\\' || c >= utf8.RuneSelf || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}
