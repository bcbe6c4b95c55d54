package unit

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// line of a unit, as systemd understands it.
type directiveLine struct{ section, key, value string }

// read is our model of how systemd reads a unit (systemd.syntax(7)): lines end
// in \n, \r or NUL, a backslash at the end joins the next one, lines that start
// with # or ; are comments, blanks around keys and values are cut off.
func read(t *testing.T, unit []byte) []directiveLine {
	t.Helper()
	var all []directiveLine
	section, open := "", ""
	for _, line := range strings.FieldsFunc(string(unit), func(r rune) bool { return r == '\n' || r == '\r' || r == 0 }) {
		line = strings.TrimLeft(line, " \t")
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		line = open + line
		if trailing := len(line) - len(strings.TrimRight(line, `\`)); trailing%2 == 1 {
			open = line[:len(line)-1] + " "
			continue
		}
		open, line = "", strings.TrimSpace(line)
		if line[0] == '[' {
			section = line
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			t.Errorf("no directive: %q", line)
		}
		all = append(all, directiveLine{section, strings.TrimSpace(key), strings.TrimSpace(value)})
	}
	return all
}

// keys are the sections and keys of a unit, in their order.
func keys(lines []directiveLine) string {
	var b strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&b, "%s %s\n", l.section, l.key)
	}
	return b.String()
}

// value returns the value of the first line of a key.
func value(lines []directiveLine, key string) string {
	for _, l := range lines {
		if l.key == key {
			return l.value
		}
	}
	return ""
}

// unspecified resolves the only specifier that we write: %% (systemd.unit(5),
// "Specifiers").
func unspecified(t *testing.T, s string) string {
	t.Helper()
	if strings.Contains(strings.ReplaceAll(s, "%%", ""), "%") {
		t.Errorf("a specifier is left: %q", s)
	}
	return strings.ReplaceAll(s, "%%", "%")
}

// split is our model of how systemd cuts a list or a command line into words.
func split(t *testing.T, s string) []string {
	t.Helper()
	var words []string
	var b strings.Builder
	inWord, quote := false, byte(0)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quote == 0 && (c == ' ' || c == '\t'):
			if inWord {
				words = append(words, b.String())
			}
			b.Reset()
			inWord = false
			continue
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case c == quote:
			quote = 0
		case c == '\\' && i+1 < len(s):
			i++
			switch s[i] {
			case '"', '\\':
				b.WriteByte(s[i])
			case 'x':
				code, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
				if err != nil || code == 0 {
					t.Errorf("a bad escape: %q", s)
				}
				b.WriteByte(byte(code))
				i += 2
			default:
				t.Errorf("an escape that we never write: %q", s)
			}
		default:
			b.WriteByte(c)
		}
		inWord = true
	}
	if quote != 0 {
		t.Errorf("a quote is never closed: %q", s)
	}
	if inWord {
		words = append(words, b.String())
	}
	return words
}

// expanded puts variables into a word of a command line (systemd.service(5)):
// ${NAME} anywhere, $NAME as a word of its own, $$ for the character itself.
func expanded(t *testing.T, word string, variable func(string) string) string {
	t.Helper()
	var b strings.Builder
	for i := 0; i < len(word); i++ {
		rest := word[i:]
		end := strings.IndexByte(rest, '}')
		switch {
		case strings.HasPrefix(rest, "$$"):
			b.WriteByte('$')
			i++
		case strings.HasPrefix(rest, "${") && end > 0:
			b.WriteString(variable(rest[2:end]))
			i += end
		case word[i] == '$':
			t.Errorf("an open $: %q", word)
		default:
			b.WriteByte(word[i])
		}
	}
	return b.String()
}
