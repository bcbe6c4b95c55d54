package assets

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// unescapeCSS takes the backslashes out.
func unescapeCSS(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		text, length := escapeAt(s[i+1:])
		b.WriteString(text)
		i += length
	}
	return b.String()
}

// escapeAt returns what the escape means whose backslash is before s, and how many bytes of
// s it takes (CSS Syntax, section 4.3.7, and 4.3.5 for a line that goes on).
func escapeAt(s string) (string, int) {
	digits := 0
	for digits < min(6, len(s)) && strings.IndexByte("0123456789abcdefABCDEF", s[digits]) >= 0 {
		digits++
	}
	switch {
	case s == "":
		return "", 0
	case digits == 0 && s[0] == '\n':
		return "", 1
	case digits == 0:
		_, length := utf8.DecodeRuneInString(s)
		return s[:length], length
	}
	code, _ := strconv.ParseUint(s[:digits], 16, 32)
	if code == 0 || code > utf8.MaxRune || 0xD800 <= code && code < 0xE000 {
		code = utf8.RuneError
	}
	if digits < len(s) && strings.IndexByte(" \t\r\n\f", s[digits]) >= 0 {
		digits++
	}
	return string(rune(code)), digits
}

// escapeCSS writes a URL into a string of these quotes, or into url() without.
func escapeCSS(s, quote string) string {
	special := quote + "\\"
	if quote == "" {
		special = "\\\"'() "
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c < ' ' || c == 0x7f:
			b.WriteString(`\` + strconv.FormatUint(uint64(c), 16) + " ")
		case strings.IndexByte(special, c) >= 0:
			b.WriteString(`\` + string(c))
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
