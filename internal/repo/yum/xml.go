package yum

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Records are written and read by hand: encoding/xml takes twenty times as long,
// and a repository has many of them. What is written here is XML 1.0 all the
// same, whatever a package says of itself.

// element appends "<name>text</name>" and a newline.
func element(b []byte, name, text string) []byte {
	b = append(append(b, '<'), name...)
	if text == "" {
		return append(b, "/>\n"...)
	}
	b = escape(append(b, '>'), text, false)
	return append(append(append(b, "</"...), name...), ">\n"...)
}

// attribute appends ` name="value"`.
func attribute(b []byte, name, value string) []byte {
	b = append(append(append(b, ' '), name...), `="`...)
	return append(escape(b, value, true), '"')
}

func number(b []byte, name string, value int64) []byte {
	b = append(append(append(b, ' '), name...), `="`...)
	return append(strconv.AppendInt(b, value, 10), '"')
}

// escape appends s as character data, or as what stands in an attribute, where
// a parser would turn newlines and tabs into blanks. Characters that XML has
// no way to write (XML 1.0, 2.2), and bytes that are not UTF-8, become U+FFFD.
func escape(b []byte, s string, inAttribute bool) []byte {
	done := 0
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		var with string
		switch {
		case r == '&':
			with = "&amp;"
		case r == '<':
			with = "&lt;"
		case r == '>':
			with = "&gt;"
		case r == '\r':
			with = "&#13;"
		case r == '"' && inAttribute:
			with = "&quot;"
		case r == '\n' && inAttribute:
			with = "&#10;"
		case r == '\t' && inAttribute:
			with = "&#9;"
		case r < ' ' && r != '\n' && r != '\t', r == utf8.RuneError && size == 1, r == 0xFFFE, r == 0xFFFF:
			with = "\uFFFD"
		default:
			i += size
			continue
		}
		b = append(append(b, s[done:i]...), with...)
		i += size
		done = i
	}
	return append(b, s[done:]...)
}

// unescape reads what escape wrote.
func unescape(s string) string {
	if !strings.Contains(s, "&") {
		return s
	}
	return strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">", "&quot;", `"`, "&#13;", "\r", "&#10;", "\n", "&#9;", "\t").Replace(s)
}
