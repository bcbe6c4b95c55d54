package spec

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/kinectl/kinectl/internal/diag"
)

// secretWords are the ends of names that only secrets have, after a boundary.
const secretWords = `(?:^|[^a-z0-9])(?:secret|password|passwd|passphrase|token|credentials?|apikey|(?:secret|api|private|access|signing|encryption|master|auth|license)[_-]?key|secret_key_base|db_pass|pass)`

var (
	secretName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?i)` + secretWords + `$`) })
	// Names of values that look random and are for all to see.
	publicName = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)(?:^|_)(?:public|pub|pubkey|fingerprint|digest|checksum|hash|sha[0-9]*|commit|revision|image|etag|cert|certificate|nonce|sri|integrity|id|ids|version|build)(?:_|$)`)
	})
	pathLike = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(?:/[A-Za-z0-9._@%-]+)+/?$`) })
)

// innocent reports whether the value of a variable that is called like a
// secret is none: a switch, a file that holds it, or a place to fill.
func innocent(value string) bool {
	value = strings.Trim(value, `"'`)
	if slices.Contains([]string{"", "true", "false", "yes", "no", "on", "off", "none", "null", "enabled", "disabled", "optional", "required"}, strings.ToLower(value)) {
		return true
	}
	return placeholder().MatchString(value) || strings.HasPrefix(value, "file:/") || pathLike().MatchString(value) && !looksRandom(value)
}

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
		hint := "keep it in the infra repository, encrypted, and write {{ vault_" + strings.ToLower(v.Name) + " }}"
		value, literal := v.Literal()
		message := ""
		inside := func(x secret) bool { return x.at.Line >= v.At.Line && x.at.Line <= v.last }
		switch i := slices.IndexFunc(s.secrets, inside); {
		case i >= 0 && strings.Contains(s.secrets[i].message, "password in a URL"):
			message = "the URL in " + v.Name + " has a password in plain text"
		case literal && secretName().MatchString(v.Name) && !innocent(value):
			message = v.Name + " looks like a secret in plain text"
		case i >= 0:
			message = v.Name + strings.Replace(s.secrets[i].message, "here is", " holds", 1)
		case literal && looksRandom(value) && !publicName().MatchString(v.Name):
			message = v.Name + " looks like a secret in plain text: only a generator writes such a value"
		default:
			continue
		}
		s.secrets = slices.DeleteFunc(s.secrets, inside)
		s.secrets = append(s.secrets, secret{v.Value, "service.environments", message, hint})
		s.hide(v.Value)
		for line := v.Value.Line + 1; line <= v.last; line++ {
			s.hide(Pos{line, 1, s.width(line)})
		}
	}
}

// commandSecrets looks for --password=word and the like in a command.
func (s *Spec) commandSecrets(c Value[Command], path string) {
	for i, word := range c.V {
		text, literal := word.literal()
		flag, isFlag := strings.CutPrefix(text, "-")
		if !isFlag || !literal {
			continue
		}
		name, value, attached := strings.Cut(strings.TrimPrefix(flag, "-"), "=")
		if !attached && i+1 < len(c.V) {
			if value, literal = c.V[i+1].literal(); !literal || strings.HasPrefix(value, "-") {
				continue
			}
		}
		if value == "" || !(secretName().MatchString(name) && !innocent(value) || looksRandom(value) && !publicName().MatchString(strings.ReplaceAll(name, "-", "_"))) {
			continue
		}
		at := s.locate(value, c.At)
		if slices.ContainsFunc(s.secrets, func(x secret) bool { return x.at.Line == at.Line }) {
			continue
		}
		s.hide(at)
		s.secrets = append(s.secrets, secret{
			at, path, "the option " + name + " looks like a secret in plain text, and every user of the host sees it in the list of processes",
			"let the program read it from its environment: NAME={{ vault_name }}",
		})
	}
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
