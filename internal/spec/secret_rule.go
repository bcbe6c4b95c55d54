package spec

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/kinectl/kinectl/internal/diag"
)

// secret is one that was found: where, and what is to be said.
type secret struct {
	at                  Pos
	path, message, hint string
}

// plainSecret reports the secrets that stand in the file for all to read.
func plainSecret(s *Spec) diag.Findings {
	var all diag.Findings
	for _, x := range s.secrets {
		if x.path == "" {
			x.path = s.pathAt(x.at.Line, x.at.Column)
		}
		all = append(all, s.finding("plain-secret", diag.Error, x.path, x.at, x.hint, x.message))
	}
	return all
}

// findLeaks looks for what shows by its form in every line of the file: in
// values, commands and comments alike, whether the rest can be read or not.
func (s *Spec) findLeaks() {
	const hint = "keep it in the infra repository, encrypted, and give it to the service as a variable: NAME={{ vault_name }}"
	key := false // inside of a private key
	for i, line := range s.lines {
		column, from := 1, 0
		for _, l := range leaks(line) {
			column, from = column+utf8.RuneCountInString(line[from:l.from]), l.from
			at := Pos{i + 1, column, utf8.RuneCountInString(line[l.from:l.to])}
			s.hide(at)
			key = key || l.what == "a private key"
			if len(s.secrets) <= MaxFindings {
				s.secrets = append(s.secrets, secret{at, "", "here is " + l.what + " in plain text", hint})
			}
		}
		if key {
			s.hide(Pos{i + 1, 1, s.width(i + 1)})
			key = !strings.Contains(line, "-----END ") && strings.TrimSpace(line) != ""
		}
	}
}

// variableSecrets looks at what was read: a variable that holds a secret is
// hidden as a whole.
func (s *Spec) variableSecrets(all []Variable) {
	for _, v := range all {
		v.Name = strings.TrimRight(strings.TrimPrefix(v.Name, "export "), " :")
		hint := "keep it in the infra repository, encrypted, and write {{ vault_" + notInName().ReplaceAllString(strings.ToLower(v.Name), "_") + " }}"
		value, literal := v.Literal()
		foreign, hidden := v.foreign()
		message := ""
		inside := func(x secret) bool { return x.at.Line >= v.At.Line && x.at.Line <= v.last }
		switch i := slices.IndexFunc(s.secrets, inside); {
		case i >= 0 && strings.Contains(s.secrets[i].message, "password in a URL"):
			message = "the URL in " + v.Name + " has a password in plain text"
		case literal && isSecret(v.Name, value):
			message = v.Name + " looks like a secret in plain text"
		case i >= 0:
			message = v.Name + strings.Replace(s.secrets[i].message, "here is", " holds", 1)
		case len(pairs(v.text())) > 0:
			message = v.Name + " holds a secret in plain text: " + pairs(v.text())[0].what
		case literal && bearer().MatchString(value):
			message = v.Name + " holds a token in plain text"
		case literal && looksRandom(value) && !publicName().MatchString(v.Name):
			message = v.Name + " looks like a secret in plain text: only a generator writes such a value"
		case foreign:
			message = "by its name " + v.Name + " is a secret, and a secret comes from a vault_… variable alone"
		default:
			continue
		}
		s.secrets = slices.DeleteFunc(s.secrets, inside)
		s.secrets = append(s.secrets, secret{v.Value, "service.environments", message, hint})
		if foreign && !hidden {
			continue // the name of a variable is no secret
		}
		s.hide(v.Value)
		for line := v.Value.Line + 1; line <= v.last; line++ {
			s.hide(Pos{line, 1, s.width(line)})
		}
	}
}

var (
	notInName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[^a-z0-9_]+`) })
	// RFC 6750, section 2.1. What people write for a token is too short.
	bearer = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^(?i:authorization:\s*)?(?i:bearer)\s+[A-Za-z0-9._~+/-]{6,}=*$`)
	})
)

// commandSecrets looks for --password=word and the like in a command, and for
// PASSWORD=word in what it hands to a shell.
func (s *Spec) commandSecrets(c Value[Command], path string) {
	for i, word := range c.V {
		text, literal := word.literal()
		if flag, isFlag := strings.CutPrefix(text, "-"); isFlag && literal {
			name, value, attached := strings.Cut(strings.TrimPrefix(flag, "-"), "=")
			if !attached && i+1 < len(c.V) {
				if value, literal = c.V[i+1].literal(); !literal || strings.HasPrefix(value, "-") {
					value = ""
				}
			}
			if value != "" && (isSecret(name, value) || looksRandom(value) && !publicName().MatchString(strings.ReplaceAll(name, "-", "_"))) {
				s.commandSecret(value, "the option "+name, c.At, path)
				continue
			}
		}
		whole := word.text()
		for _, l := range pairs(whole) {
			s.commandSecret(whole[l.from:l.to], l.what, c.At, path)
		}
	}
}

// commandSecret notes a secret in a command, unless its line has one already.
func (s *Spec) commandSecret(value, what string, command Pos, path string) {
	at := s.locate(strings.Trim(value, resolved+`"'`), command)
	s.hide(at)
	if slices.ContainsFunc(s.secrets, func(x secret) bool { return x.at.Line == at.Line }) {
		return
	}
	s.secrets = append(s.secrets, secret{
		at, path, what + " looks like a secret in plain text, and every user of the host sees it in the list of processes",
		"let the program read it from its environment: NAME={{ vault_name }}",
	})
}

// locate finds a text at or after a place, and returns the place when it is
// written otherwise than it reads.
func (s *Spec) locate(text string, at Pos) Pos {
	for line := at.Line; line >= 1 && line <= min(at.Line+20, len(s.lines)); line++ {
		if i := strings.Index(s.lines[line-1], text); i >= 0 {
			return Pos{line, utf8.RuneCountInString(s.lines[line-1][:i]) + 1, utf8.RuneCountInString(text)}
		}
	}
	return at
}
