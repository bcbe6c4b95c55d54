package spec

import (
	"cmp"
	"encoding/base64"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// token is a kind of secret that shows by its form: who issues it made it so
// that it can be found.
type token struct {
	what   string
	prefix string
	least  int    // characters after the prefix
	more   string // that may follow besides letters and digits
}

// tokens are taken from what the issuers document.
var tokens = sync.OnceValue(func() []token {
	return []token{
		{"an AWS access key", "AKIA", 16, ""},
		{"an AWS access key", "ASIA", 16, ""},
		{"a GitHub token", "ghp_", 36, ""},
		{"a GitHub token", "gho_", 36, ""},
		{"a GitHub token", "ghu_", 36, ""},
		{"a GitHub token", "ghs_", 36, ""},
		{"a GitHub token", "ghr_", 36, ""},
		{"a GitHub token", "github_pat_", 22, "_"},
		{"a GitLab token", "glpat-", 20, "_-."},
		{"a GitLab token", "glrt-", 20, "_-."},
		{"a GitLab token", "gldt-", 20, "_-."},
		{"a Slack token", "xoxb-", 10, "-"},
		{"a Slack token", "xoxp-", 10, "-"},
		{"a Slack token", "xoxa-", 10, "-"},
		{"a Slack token", "xoxr-", 10, "-"},
		{"a Slack token", "xoxs-", 10, "-"},
		{"a Slack token", "xapp-", 10, "-"},
		{"a Stripe key", "sk_live_", 16, ""},
		{"a Stripe key", "rk_live_", 16, ""},
		{"a Stripe secret", "whsec_", 24, "+/="},
		{"a Google API key", "AIza", 35, "_-"},
		{"a Google OAuth secret", "GOCSPX-", 20, "_-"},
		{"a SendGrid key", "SG.", 60, "_-."},
		{"an npm token", "npm_", 36, ""},
		{"a PyPI token", "pypi-AgE", 50, "_-"},
		{"a Vault token", "hvs.", 24, "_-"},
		{"a DigitalOcean token", "dop_v1_", 64, ""},
		{"an Anthropic key", "sk-ant-", 20, "_-"},
		{"an OpenAI key", "sk-proj-", 20, "_-"},
		{"an OpenAI key", "sk-svcacct-", 20, "_-"},
		{"an OpenAI key", "sk-", 32, ""},
		{"a Hugging Face token", "hf_", 30, ""},
		{"an age key", "AGE-SECRET-KEY-1", 50, ""},
	}
})

// leak is a secret in a text: bytes from, to.
type leak struct {
	from, to int
	what     string // "a GitHub token"
}

// leaks finds the secrets of a line that show by their form. Those inside of
// {{ }} are Ansible's business.
func leaks(line string) []leak {
	if len(line) < 8 {
		return nil
	}
	var all []leak
	for _, t := range tokens() {
		for at := 0; ; {
			i := strings.Index(line[at:], t.prefix)
			if i < 0 {
				break
			}
			from := at + i
			at = from + len(t.prefix)
			to := at
			for to < len(line) && (alphanumeric(line[to]) || strings.IndexByte(t.more, line[to]) >= 0) {
				to++
			}
			// AWS ends the keys of its documentation so.
			if to-at >= t.least && (from == 0 || !alphanumeric(line[from-1])) && !strings.HasSuffix(line[:to], "EXAMPLE") {
				all = append(all, leak{from, to, t.what})
				at = to
			}
		}
	}
	if strings.Contains(line, "eyJ") {
		for _, m := range webToken().FindAllStringSubmatchIndex(line, -1) {
			all = append(all, leak{m[2], m[3], "a JSON web token"})
		}
	}
	if i := strings.Index(line, "-----BEGIN "); i >= 0 && strings.Contains(line[i:], "PRIVATE KEY") {
		all = append(all, leak{i, len(line), "a private key"})
	}
	if strings.Contains(line, "@") {
		all = append(all, passwords(line)...)
	}
	all = append(all, authorizations(line)...)
	slices.SortStableFunc(all, func(a, b leak) int { return cmp.Compare(a.from, b.from) })
	end := 0
	return slices.DeleteFunc(all, func(l leak) bool { // inside of another one
		within := l.from < end
		end = max(end, l.to)
		return within
	})
}

func alphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

var (
	// RFC 7519: header and claims are JSON objects in base64, which begin so.
	webToken = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?:^|[^A-Za-z0-9_-])(eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,})`)
	})
	// RFC 3986, section 3.2.1.
	userInfo = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)[a-z][a-z0-9+.-]*://[^\s/?#:@"']*:([^\s/?#@"']+)@`)
	})
	// The data source name of Go's MySQL driver: user:password@protocol(address).
	sourceName = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`[^\s:@/"'=(]+:([^\s"']+?)@(?:tcp[46]?|unix)\(`)
	})
	// RFC 6750 and RFC 7617. Words of prose have no digits, and are not base64.
	authorization = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)\b(bearer|basic)[ \t]+([A-Za-z0-9._~+/-]{8,}={0,2})`)
	})
	expressions = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\{\{.*?\}\}`) })
	// What stands for a password and is none: ${PASSWORD}, $PASSWORD, <password>, ***.
	placeholder = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^(?:\$\{?[A-Za-z_][A-Za-z0-9_]*\}?|<[^>]*>|\*+|x{3,}|\.\.\.|…|%[sv])$`)
	})
	// What people write for one in a comment.
	spoken = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)^(?:password|passwd|pass|pw|secret|token|word)$`)
	})
)

// passwords finds URLs, and names of data sources, whose password has literal
// characters.
func passwords(line string) []leak {
	text := expressions().ReplaceAllStringFunc(line, func(e string) string { return strings.Repeat(resolved, len(e)) })
	comment := strings.HasPrefix(strings.TrimLeft(line, " \t"), "#")
	var all []leak
	find := func(what string, places [][]int) {
		for _, m := range places {
			password := text[m[2]:m[3]]
			if strings.Trim(password, resolved) == "" || placeholder().MatchString(password) || comment && spoken().MatchString(password) {
				continue
			}
			all = append(all, leak{m[2], m[3], what})
		}
	}
	if strings.Contains(line, "://") {
		find("a password in a URL", userInfo().FindAllStringSubmatchIndex(text, -1))
	}
	if strings.Contains(line, "@tcp") || strings.Contains(line, "@unix") {
		find("a password of a database", sourceName().FindAllStringSubmatchIndex(text, -1))
	}
	return all
}

// authorizations finds what stands in the header of that name.
func authorizations(line string) []leak {
	if !slices.ContainsFunc([]string{"earer", "EARER", "asic", "ASIC"}, func(s string) bool { return strings.Contains(line, s) }) {
		return nil // as nearly every line: the pattern takes longer
	}
	var all []leak
	for _, m := range authorization().FindAllStringSubmatchIndex(line, -1) {
		value := line[m[4]:m[5]]
		if strings.EqualFold(line[m[2]:m[3]], "bearer") {
			if len(value) >= 12 && strings.ContainsAny(value, "0123456789") {
				all = append(all, leak{m[4], m[5], "a bearer token"})
			}
			continue
		}
		user, err := base64.StdEncoding.DecodeString(value)
		if err == nil && utf8.Valid(user) && strings.Contains(string(user), ":") {
			all = append(all, leak{m[4], m[5], "a user with a password"})
		}
	}
	return all
}

// withoutLeaks is a text with its secrets hidden.
func withoutLeaks(text string) string {
	for _, l := range leaks(text) {
		text = text[:l.from] + strings.Repeat("*", l.to-l.from) + text[l.to:]
	}
	return text
}
