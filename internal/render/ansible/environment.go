package ansible

import (
	"strings"

	"github.com/kinectl/kinectl/internal/plan"
)

// quoteFilter escapes what a double-quoted value of an EnvironmentFile= treats
// as special: the backslash, the double quote, the dollar sign and the
// backquote (systemd.exec(5), EnvironmentFile=). The two patterns are variables
// of the play because Ansible rewrites backslashes inside of Jinja's strings.
const quoteFilter = "| string | regex_replace(kinectl_special, kinectl_escaped)"

// environmentFile is the Jinja template of the environment file: one quoted
// value a line, so that no value, whatever the inventory gives, can end its
// line early, start another variable or be unescaped into something else.
func environmentFile(variables []plan.Variable) string {
	var b strings.Builder
	for _, v := range variables {
		b.WriteString(v.Name + `="`)
		for _, part := range v.Parts {
			if part.Expression != "" {
				b.WriteString("{{ (" + part.Expression + ") " + quoteFilter + " }}")
			} else {
				b.WriteString(literal(part.Literal))
			}
		}
		b.WriteString("\"\n")
	}
	return b.String()
}

// literal quotes text for systemd, and then hides every brace from Jinja: one
// alone would be taken together with the expression after it.
func literal(s string) string {
	s = strings.NewReplacer(`"`, `\"`, `\`, `\\`, `$`, `\$`, "`", "\\`").Replace(s)
	return strings.ReplaceAll(s, "{", "{{ '{' }}")
}
