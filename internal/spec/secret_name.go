package spec

import (
	"regexp"
	"slices"
	"strings"
	"sync"
)

var (
	// secretName knows the ends of names that only secrets have, after a
	// boundary, and what is put behind them for a second one: DB_PASSWORD_OLD.
	secretName = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)(?:(?:^|[^a-z0-9])(?:secrets?|tokens?|credentials?|creds|apikeys?|` +
			`(?:secret|api|private|access|signing|encryption|master|auth|license|session|jwt|cookie|hmac|aes)[_-]?keys?|` +
			`(?:cookie|session|password)[_-]?salt|secret_key_base|pass|pwd)|(?:password|passwd|passphrase)s?)` +
			`(?:[_-]?[0-9]+|[_-](?:old|new|prev|previous|current|next|primary|secondary|base64|b64|hex))?$`)
	})
	passwordName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?i)pass|pwd`) })
	keyName      = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?i)key(?:s|$|[^a-z])`) })
	// Names of values that look random and are for all to see.
	publicName = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)(?:^|_)(?:public|pub|pubkey|fingerprint|digest|checksum|hash|sha[0-9]*|commit|revision|image|etag|cert|certificate|nonce|sri|integrity|id|ids|version|build)(?:_|$)`)
	})
	// Names of switches and counts, whatever they end in: MAX_TOKENS.
	switchName = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)(?:^|[_-])(?:max|min|num|count|limit|requires?|required|enabled?|disabled?|allow|use|skip)(?:[_-]|$)`)
	})
	pathLike = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(?:/[A-Za-z0-9._@%-]+)+/?$`) })
	number   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9]+(?:[._][0-9]+)*$`) })
	// A key of 24 to 64 bytes; a SHA-1 has 20, and a UUID 16.
	hexKey = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(?:[0-9a-fA-F]{2}){24,64}$`) })
)

// isSecret reports whether a value of that name is a secret, by the name or
// by how the value looks for such a name.
func isSecret(name, value string) bool {
	switch {
	case secretName().MatchString(name):
		return !innocent(value) && (!number().MatchString(value) || passwordName().MatchString(name) && !switchName().MatchString(name))
	case keyName().MatchString(name) && hexKey().MatchString(value):
		return !publicName().MatchString(name)
	}
	return false
}

// innocent reports whether the value of a variable that is called like a
// secret is none: a switch, a file that holds it, or a place to fill.
func innocent(value string) bool {
	value = strings.Trim(value, `"'`)
	if slices.Contains([]string{"", "true", "false", "yes", "no", "on", "off", "none", "null", "enabled", "disabled", "optional", "required"}, strings.ToLower(value)) {
		return true
	}
	return placeholder().MatchString(value) || strings.HasPrefix(value, "file:/") || pathLike().MatchString(value) && !looksRandom(value)
}

// resolved stands for an expression or a variable in a text: somebody fills it.
const resolved = "\x00"

var pair = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`([A-Za-z_][A-Za-z0-9_.-]*)(?:[ \t]*=[ \t]*|["'][ \t]*:[ \t]*)('[^']*'|"[^"]*"|[^\s;&,'"]+)`)
})

// pairs finds the secrets that stand under their names inside of a text, such
// as a connection string (host=db password=word), JSON or a line of a shell.
func pairs(text string) []leak {
	if !strings.ContainsAny(text, "=:") {
		return nil
	}
	var all []leak
	for _, m := range pair().FindAllStringSubmatchIndex(text, -1) {
		name, value := text[m[2]:m[3]], strings.ReplaceAll(strings.Trim(text[m[4]:m[5]], `"'`), resolved, "")
		run := strings.HasPrefix(value, "$(") || strings.HasPrefix(value, "`") // what a shell puts there
		if isSecret(name, value) && !run && strings.ContainsFunc(value, func(r rune) bool { return r > 0x7f || alphanumeric(byte(r)) }) {
			all = append(all, leak{m[4], m[5], name})
		}
	}
	return all
}
