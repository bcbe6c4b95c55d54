package unit

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/kinectl/kinectl/internal/plan"
)

// text writes a string as the value of a directive that takes plain text,
// such as Description= (systemd.syntax(7)).
func text(s string) string { return strings.ReplaceAll(line(s), "%", "%%") }

// line writes a string as the value of a directive in which % means itself,
// such as CPUQuota=. Control characters, which a spec cannot contain, become
// spaces: a value must never start a line of its own.
func line(s string) string {
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, valid(s)))
	// A backslash at the end would join the next line; systemd does not see it
	// as the end when a blank follows, and cuts the blank off.
	if strings.HasSuffix(s, `\`) {
		s += " "
	}
	return s
}

// list writes values that are separated by blanks, such as ReadWritePaths=.
func list(values []string) string {
	var words []string
	for _, v := range values {
		words = append(words, quoted(v, ""))
	}
	return strings.Join(words, " ")
}

// command writes a command line for ExecStart= and its like (systemd.service(5),
// "Command lines"). Only the variables that it names are expanded, each to one
// word or a part of one; all other words reach the program to the letter.
func command(c plan.Command) string {
	var words []string
	for i, word := range c {
		var b strings.Builder
		for _, part := range word {
			b.WriteString(escaped(part.Literal, "$"))
			if part.Variable != "" {
				b.WriteString("${" + identifier(part.Variable) + "}")
			}
		}
		written := b.String()
		// A program is an absolute path. Anything else would be looked for in PATH, or
		// its first character taken for a prefix, like the + that means "as root".
		if i == 0 && !strings.HasPrefix(written, "/") {
			written = "/" + written
		}
		words = append(words, enclosed(written))
	}
	return strings.Join(words, " ")
}

// quoted writes one word. The characters of doubled mean something in the
// directive unless they stand there twice.
func quoted(word, doubled string) string { return enclosed(escaped(word, doubled)) }

// enclosed puts an escaped word in quotes unless it is plain.
func enclosed(word string) string {
	plain := func(r rune) bool {
		return r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("/._-@=:,+", r))
	}
	if word != "" && strings.TrimLeftFunc(word, plain) == "" {
		return word
	}
	return `"` + word + `"`
}

// escaped writes text for the inside of quotes (systemd.syntax(7), "Quoting").
// A NUL, which no program can be given, is left out.
func escaped(s, doubled string) string {
	var b strings.Builder
	for _, r := range valid(s) {
		switch {
		case r == 0:
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r == '"' || r == '\\':
			b.WriteString(`\` + string(r))
		case r == '%' || strings.ContainsRune(doubled, r):
			b.WriteString(string(r) + string(r))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// identifier keeps what the name of a variable, a user or a group may hold.
func identifier(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return r
		}
		return -1
	}, s)
}

// valid replaces bytes that are no UTF-8: systemd drops a line that has some.
func valid(s string) string { return strings.ToValidUTF8(s, " ") }
