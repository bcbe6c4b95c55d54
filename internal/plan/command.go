package plan

import "strings"

// Line is a command of literal words.
func Line(words ...string) Command {
	c := Command{}
	for _, w := range words {
		c = append(c, Word{{Literal: w}})
	}
	return c
}

// String writes the command for people: words separated by blanks, variables
// as ${NAME}. It is not fit for a shell or a unit.
func (c Command) String() string {
	var words []string
	for _, w := range c {
		var b strings.Builder
		for _, part := range w {
			b.WriteString(part.Literal)
			if part.Variable != "" {
				b.WriteString("${" + part.Variable + "}")
			}
		}
		words = append(words, b.String())
	}
	return strings.Join(words, " ")
}
