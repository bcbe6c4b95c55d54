package assets

import "strings"

// The literals of JavaScript: strings, templates and regular expressions.

func (s *scanner) string() error {
	quote := s.src[s.at]
	for end := s.at + 1; end < len(s.src); end++ {
		switch s.src[end] {
		case quote:
			s.add(quoted, end+1)
			return nil
		case '\n':
			return errScript
		case '\\':
			if strings.HasPrefix(s.src[end+1:], "\r\n") {
				end++
			}
			end++
		}
	}
	return errScript
}

// template reads from a ` or from the } of a substitution to the next ${ or `.
func (s *scanner) template(kind tokenKind) error {
	for end := s.at + 1; end < len(s.src); end++ {
		switch {
		case s.src[end] == '`':
			s.add(kind, end+1)
			return nil
		case strings.HasPrefix(s.src[end:], "${"):
			s.add(fragment, end+2)
			s.templates = append(s.templates, s.depth)
			return nil
		case s.src[end] == '\\':
			end++
		}
	}
	return errScript
}

func (s *scanner) regex() error {
	class := false // in [], where a slash is one
	for end := s.at + 1; end < len(s.src); end++ {
		switch c := s.src[end]; {
		case c == '\n':
			return errScript
		case c == '\\':
			end++
		case c == '[':
			class = true
		case c == ']':
			class = false
		case c == '/' && !class:
			for end++; end < len(s.src) && wordly(s.src[end]); end++ {
			}
			s.add(regex, end)
			return nil
		}
	}
	return errScript
}
