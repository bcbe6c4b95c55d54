package spec

import (
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/kinectl/kinectl/internal/diag"
)

// finding makes a finding with the excerpt of its line. A place past the end,
// such as that of a value that is not there, is drawn back into the file.
func (s *Spec) finding(rule string, severity diag.Severity, path string, at Pos, hint, message string) diag.Finding {
	f := diag.Finding{Rule: rule, Severity: severity, File: s.File, Path: path, Message: message, Hint: hint}
	if at.Line < 1 || len(s.lines) == 0 {
		return f
	}
	f.Line = min(at.Line, len(s.lines))
	f.Excerpt = s.excerpt(f.Line)
	f.Column = max(1, min(at.Column, s.width(f.Line)+1))
	f.Width = at.Width
	return f
}

// width is how many characters a line has. A long one is counted once: a file
// may be one line with thousands of values.
func (s *Spec) width(line int) int {
	text := s.lines[line-1]
	if len(text) < 1000 {
		return utf8.RuneCountInString(text)
	}
	n, ok := s.widths[line]
	if !ok {
		n = utf8.RuneCountInString(text)
		s.widths[line] = n
	}
	return n
}

// excerpt is a line with its secrets hidden: those that were found, and what
// follows a name that only secrets have, for a line that could not be read.
func (s *Spec) excerpt(line int) string {
	if shown, ok := s.shown[line]; ok {
		return shown
	}
	text := s.lines[line-1]
	runes := []rune(text)
	from, to := utf8.RuneCountInString(text[:spokenOf(text)]), len(runes)
	for _, at := range s.hidden[line] {
		for i := max(at.Column-1, 0); i < min(at.Column-1+at.Width, len(runes)); i++ {
			runes[i] = '*'
		}
		to = min(to, at.Column-1) // what follows has been looked at
	}
	for i := from; i < to; i++ {
		runes[i] = '*'
	}
	text = string(runes)
	s.shown[line] = text
	return text
}

var (
	word = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[A-Za-z0-9_.-]{3,}`) })
	// Expressions without text of their own.
	named = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\{\{[^'"]*?(?:\}\}|$)`) })
	// The beginning of a block, or of what YAML calls so.
	header = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[|>][0-9+-]*(?:\s+#.*)?$`) })
)

// spokenOf returns where a line begins to tell the value of a name that only
// secrets have, and the line's length where it does not. The name is assigned
// to, or begins the line, or is an option: a line that could not be read may
// lack the sign between them.
func spokenOf(line string) int {
	for _, at := range word().FindAllStringIndex(line, -1) {
		if !secretName().MatchString(line[at[0]:at[1]]) {
			continue
		}
		rest := strings.TrimLeft(strings.TrimLeft(line[at[1]:], `"'`), " \t")
		before := strings.TrimSuffix(strings.TrimLeft(line[:at[0]], " \t-#;"), "export ")
		switch {
		case strings.HasPrefix(rest, "="), strings.HasPrefix(rest, ":"):
			rest = strings.TrimLeft(rest[1:], " \t")
		case line[at[0]] == '-' && strings.HasPrefix(rest, "-"): // the next option
			continue
		case before != "" && line[at[0]] != '-', at[1] < len(line) && line[at[1]] != ' ' && line[at[1]] != '\t' && line[at[1]] != '"' && line[at[1]] != '\'':
			continue
		}
		if value := strings.TrimSpace(named().ReplaceAllString(rest, "")); !innocent(value) && !header().MatchString(value) {
			return len(line) - len(rest)
		}
	}
	return len(line)
}

// hide keeps a place out of all excerpts.
func (s *Spec) hide(at Pos) {
	s.hidden[at.Line] = append(s.hidden[at.Line], at)
	delete(s.shown, at.Line)
}

// discreet is a message about a line without pieces of the line's secrets.
func (s *Spec) discreet(line int, message string) string {
	const piece = 8
	for _, at := range s.hidden[line] {
		text := column(s.lines[line-1], at.Column)
		for i := 0; i+piece <= min(len(text), at.Width, 500); i++ {
			message = strings.ReplaceAll(message, text[i:i+piece], strings.Repeat("*", piece))
		}
	}
	return message
}

// pathAt is the path of the last key that begins at or before a place.
func (s *Spec) pathAt(line, column int) string {
	var best Pos
	path := ""
	for p, at := range s.keys {
		if at.Line > line || at.Line == line && at.Column > column || at.Line < best.Line || at.Line == best.Line && at.Column < best.Column {
			continue
		}
		if at == best && (len(p) < len(path) || len(p) == len(path) && p < path) {
			continue // a list's entry and its first key stand in one place
		}
		best, path = at, p
	}
	return path
}
