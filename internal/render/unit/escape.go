package unit

import (
	"strings"
	"unicode"
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

// command writes a command line for ExecStart= and its like, whose words are
// separated by blanks (systemd.service(5), "Command lines"). Nothing in it is
// expanded: no specifier, no variable.
func command(line string) string {
	var words []string
	for _, word := range strings.Fields(oneLine(line)) {
		words = append(words, quote(word))
	}
	return strings.Join(words, " ")
}

// quote writes one word of a command line.
func quote(word string) string {
	word = strings.NewReplacer(`%`, `%%`, `$`, `$$`).Replace(word)
	if !strings.ContainsAny(word, `'"\;@-:+!|`) || strings.HasPrefix(word, "/") && !strings.ContainsAny(word, `'"\;`) {
		return word
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(word) + `"`
}

func oneLine(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s))
}
