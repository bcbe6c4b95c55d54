package unit

import (
	"strings"
	"unicode"

	"github.com/kinectl/kinectl/internal/plan"
)

// text writes a string as the value of a directive that takes plain text,
// such as Description= (systemd.syntax(7)). Control characters, which a spec
// cannot contain, become spaces: a value must never start a line of its own.
func text(s string) string {
	s = strings.ReplaceAll(oneLine(s), "%", "%%")
	// A backslash at the end would join the next line; systemd does not see it
	// as the end when a blank follows, and cuts the blank off.
	if strings.HasSuffix(s, `\`) {
		s += " "
	}
	return s
}

// command writes a command line for ExecStart= and its like (systemd.service(5),
// "Command lines"). Only the variables that it names are expanded, each to one
// word or a part of one.
func command(c plan.Command) string {
	var words []string
	for _, word := range c {
		var b strings.Builder
		for _, part := range word {
			b.WriteString(strings.NewReplacer(`%`, `%%`, `$`, `$$`, `\`, `\\`, `"`, `\"`).Replace(oneLine(part.Literal)))
			if part.Variable != "" {
				b.WriteString("${" + part.Variable + "}")
			}
		}
		words = append(words, quoted(b.String()))
	}
	return strings.Join(words, " ")
}

// quoted puts a word in quotes unless it is plain.
func quoted(word string) string {
	if strings.HasPrefix(word, "/") && !strings.ContainsAny(word, " '\"\\;") {
		return word
	}
	return `"` + word + `"`
}

func oneLine(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s))
}
