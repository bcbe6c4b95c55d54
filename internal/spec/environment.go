package spec

import (
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/kinectl/kinectl/internal/lazyregexp"
)

// Variable is one variable of the block `environments`.
type Variable struct {
	Name  string
	Parts []Part // nil for an empty value
	At    Pos    // of the name
	Value Pos    // of the value's first line, from its first character to its last
	last  int    // line in which the value ends
}

// Literal returns the value, and whether all of it is literal text.
func (v Variable) Literal() (string, bool) {
	var b strings.Builder
	for _, part := range v.Parts {
		if part.Expression != "" {
			return "", false
		}
		b.WriteString(part.Literal)
	}
	return b.String(), true
}

// Part is a piece of a value. Exactly one of Literal and Expression is set.
type Part struct {
	Literal    string   // quotes and escapes undone
	Expression string   // inside of {{ }}, without the blanks around it
	Needs      []string // Ansible variables that the expression cannot do without
	Optional   string   // one that it uses if it is there, "" for none
}

// environment is the block of variables, by the rules of systemd.exec(5) for
// EnvironmentFile=, but without its leniency: what systemd would skip in
// silence is a fault.
type environment struct{ to *[]Variable }

func (e environment) read(p *parser, n *yaml.Node, path string) {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" && n.Tag != "!!null" {
		p.wrongType(n, path, "a block of KEY=value lines", "write it as a block: environments: |")
		return
	}
	s := &scanner{p: p, path: path, text: []rune(n.Value), line: n.Line, column: n.Column, first: n.Column}
	switch {
	case n.Style&yaml.LiteralStyle != 0:
		s.line++
		s.first = indent(p.spec.lines, n.Line, n.Value) + 1
		s.column = s.first
	case n.Style&(yaml.FoldedStyle|yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 || strings.Contains(n.Value, "\n") ||
		n.Line > len(p.spec.lines) || !strings.HasPrefix(column(p.spec.lines[n.Line-1], n.Column), n.Value):
		// In such a text places cannot be told, and quotes mean two things.
		p.fault("bad-value", path, p.at(n), "write it as a block: environments: |", "environments must be a block of KEY=value lines")
		return
	}
	s.seen = map[string]int{}
	for !s.eof() {
		if len(*e.to)+len(p.refused) == maxVariables {
			p.fault("out-of-range", path, s.at(1), "a program that needs so many reads a file", "environments has more than %d variables", maxVariables)
			return
		}
		s.entry(e.to)
	}
}

// maxVariables keeps the lists of variables, which every rule walks, short.
const maxVariables = 1000

// indent returns the number of characters before each line of a literal block
// whose header stands in line header: YAML has cut them off.
func indent(lines []string, header int, value string) int {
	for i, line := range strings.Split(value, "\n") {
		if at := header + i; line != "" && at < len(lines) {
			return utf8.RuneCountInString(lines[at]) - utf8.RuneCountInString(line)
		}
	}
	return 0
}

// column returns what stands in the line from a column on.
func column(line string, c int) string {
	for i := range line {
		if c--; c == 0 {
			return line[i:]
		}
	}
	return ""
}

// scanner reads the block character by character and knows where it is.
type scanner struct {
	p            *parser
	path         string
	text         []rune
	i            int
	line, column int            // of text[i] in the file
	first        int            // column of the block's first character in each line
	seen         map[string]int // the line of each variable
}

func (s *scanner) eof() bool { return s.i >= len(s.text) }

// peek returns the character n places ahead, and 0 at the end.
func (s *scanner) peek(n int) rune {
	if s.i+n >= len(s.text) {
		return 0
	}
	return s.text[s.i+n]
}

func (s *scanner) next() rune {
	r := s.text[s.i]
	s.i++
	s.column++
	if r == '\n' {
		s.line++
		s.column = s.first
	}
	return r
}

func (s *scanner) at(width int) Pos { return Pos{s.line, s.column, width} }

// ahead reports whether the text goes on with the given one.
func (s *scanner) ahead(want string) bool {
	for i, r := range []rune(want) {
		if s.peek(i) != r {
			return false
		}
	}
	return true
}

func (s *scanner) fault(rule string, at Pos, hint, format string, args ...any) {
	s.p.fault(rule, s.path, at, hint, format, args...)
}

// restOfLine takes everything up to the newline, and the newline.
func (s *scanner) restOfLine() string {
	var b strings.Builder
	for !s.eof() {
		r := s.next()
		if r == '\n' {
			break
		}
		b.WriteRune(r)
	}
	return b.String()
}

var variablePattern = lazyregexp.New(`^[A-Za-z_][A-Za-z0-9_]*$`)

// entry reads one variable, comment or empty line.
func (s *scanner) entry(to *[]Variable) {
	for !s.eof() && strings.ContainsRune(" \t\n", s.peek(0)) {
		s.next()
	}
	if s.eof() {
		return
	}
	at := s.at(1)
	if s.peek(0) == '#' || s.peek(0) == ';' {
		if s.p.spec.inText != nil {
			s.p.spec.remarks[s.line] = true
		}
		// systemd before 254 goes on with such a comment in the next line.
		if strings.HasSuffix(s.restOfLine(), `\`) {
			s.fault("bad-line", at, "remove the backslash", "a comment must not end in a backslash")
		}
		return
	}
	var name []rune
	for !s.eof() && s.peek(0) != '=' && s.peek(0) != '\n' {
		name = append(name, s.next())
	}
	v := Variable{Name: strings.TrimRight(string(name), " \t"), At: at}
	v.At.Width = utf8.RuneCountInString(v.Name)
	if s.peek(0) != '=' {
		s.fault("bad-line", v.At, "write KEY=value, or # before a comment", "this line has no =")
		s.restOfLine()
		return
	}
	s.next()
	valid := variablePattern.MatchString(v.Name)
	if !valid {
		v.Name = strings.TrimRight(v.Name[:spokenOf(v.Name)], " \t") // DB_PASSWORD word=
		hint := "letters, digits and _, not starting with a digit"
		if strings.HasPrefix(v.Name, "export ") {
			hint = "leave export out: this is no shell"
		}
		s.fault("bad-variable", v.At, hint, "%s cannot be the name of a variable", quoted(v.Name))
	}
	if line, ok := s.seen[v.Name]; ok {
		s.fault("duplicate-variable", v.At, "keep one of the two", "%s is set twice, first in line %d", v.Name, line)
	}
	s.seen[v.Name] = v.At.Line
	s.value(&v)
	v.last = max(v.Value.Line, min(s.line, len(s.p.spec.lines)))
	if s.column == s.first && v.last > v.Value.Line {
		v.last-- // the newline has been read
	}
	if !valid {
		s.p.refused = append(s.p.refused, v) // it may hold a secret that no excerpt must show
		return
	}
	*to = append(*to, v)
}
