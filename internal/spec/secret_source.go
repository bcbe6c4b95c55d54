package spec

import (
	"regexp"
	"strings"
	"sync"

	"github.com/kinectl/kinectl/internal/diag"
)

var (
	defaults = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`\|\s*(?:default|d)\s*\(\s*(?:default_value\s*=\s*)?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[A-Za-z0-9_.]+)`)
	})
	// What may stand before a secret: the scheme of RFC 7235, or signs.
	scheme = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(?i:(?:bearer|basic|token)\s+|[^\pL\pN]+)$`) })
)

// foreign reports whether the value of a variable with a secret's name comes,
// wholly or in part, from elsewhere than a vault_… variable, and whether it has
// text that must not be shown. A resource's own variable is as good: its value
// is the infra repository's affair.
func (v Variable) foreign() (is, literal bool) {
	if _, all := v.Literal(); all || !secretName().MatchString(v.Name) || switchName().MatchString(v.Name) {
		return false, false
	}
	for _, p := range v.Parts {
		if p.Expression == "" {
			literal = literal || !scheme().MatchString(p.Literal)
			continue
		}
		is = is || !fromVault(p.Expression)
		for _, m := range defaults().FindAllStringSubmatch(p.Expression, -1) {
			switch instead := m[1]; {
			case instead[0] == '\'' || instead[0] == '"':
				literal = literal || !innocent(instead)
			case instead != "omit" && !innocent(instead) && !number().MatchString(instead):
				is = is || !fromVault(instead)
			}
		}
	}
	return is || literal, literal
}

// fromVault reports whether an expression begins with a vault_… variable, or
// with that of a resource.
func fromVault(expression string) bool {
	end := strings.IndexFunc(expression, func(r rune) bool { return r >= 0x80 || !alphanumeric(byte(r)) && r != '_' })
	if end < 0 {
		end = len(expression)
	}
	name := expression[:end]
	for _, r := range Resources() {
		if r.Needs == name {
			return true
		}
	}
	return strings.HasPrefix(name, "vault_")
}

// partialSecret finds the secrets that would reach the service encrypted: it
// decrypts a value as a whole, or not at all.
func partialSecret(s *Spec) diag.Findings {
	var all diag.Findings
	for _, v := range s.Environment {
		if told, _ := v.foreign(); told || len(v.Parts) < 2 {
			continue
		}
		for _, p := range v.Parts {
			if name, _, _ := strings.Cut(p.Expression, "|"); strings.HasPrefix(name, "vault_") {
				all = append(all, s.finding("partial-secret", diag.Error, "service.environments", v.Value,
					"encrypt the whole value, and write "+v.Name+"={{ vault_… }}", "the service decrypts a value as a whole, and "+strings.TrimSpace(name)+" is a part of "+v.Name))
				break
			}
		}
	}
	return all
}

// text is the value, with a sign in the place of each expression.
func (v Variable) text() string {
	var b strings.Builder
	for _, p := range v.Parts {
		if p.Expression != "" {
			b.WriteString(resolved)
		}
		b.WriteString(p.Literal)
	}
	return b.String()
}

// text is the word, with a sign in the place of each variable.
func (w Word) text() string {
	var b strings.Builder
	for _, part := range w {
		if part.Variable != "" {
			b.WriteString(resolved)
		}
		b.WriteString(part.Literal)
	}
	return b.String()
}
