package vault

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

const bundleName = "VAULT_BUNDLE"

// IsBundle tells whether a variable of this name is a bundle: VAULT_BUNDLE, or
// VAULT_BUNDLE_ and something.
func IsBundle(name string) bool {
	return name == bundleName || strings.HasPrefix(name, bundleName+"_") && len(name) > len(bundleName)+1
}

// ParseBundle reads the plain text of a bundle: lines KEY=value by the rules of
// EnvironmentFile= in systemd.exec(5), with comments (# or ;), quotes of both kinds, backslashes
// and values over several lines in quotes. A line ends in \n, \r or both; in quotes they are kept as
// they are. What systemd would skip or guess is an error here: a line without =, a quote that is not
// closed, text after one, a comment that a backslash lets go on in the next line, a name twice.
// The error has numbers of lines (of \n) and the names of good variables, and nothing else of the text.
func ParseBundle(text []byte) (map[string]string, error) {
	if !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
		return nil, errors.New("a bundle must be UTF-8 without NUL bytes")
	}
	r := lines{text: string(text), line: 1}
	values := map[string]string{}
	for {
		more, err := r.skipToName()
		line := r.line
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		if !more {
			return values, nil
		}
		name, value, err := r.variable()
		switch _, twice := values[name]; {
		case err != nil:
			return nil, fmt.Errorf("line %d: %w", line, err)
		case twice:
			return nil, fmt.Errorf("line %d: %s is there twice", line, name)
		case reserved(name):
			return nil, fmt.Errorf("line %d: %s must not be in a bundle", line, name)
		case LooksEncrypted(value):
			return nil, fmt.Errorf("line %d: the value of %s is itself encrypted", line, name)
		}
		values[name] = value
	}
}

// reserved are the variables that are read before bundles are.
func reserved(name string) bool {
	return IsBundle(name) || name == skipDecrypt || name == passwordFile || name == credentialsDirectory
}

// lines reads a bundle from its front.
type lines struct {
	text string
	line int // of the text's first character
}

func (r *lines) next() byte {
	c := r.text[0]
	r.text = r.text[1:]
	if c == '\n' {
		r.line++
	}
	return c
}

// skipToName passes blanks, empty lines and comments. False is the end.
func (r *lines) skipToName() (bool, error) {
	for r.text != "" {
		switch c := r.text[0]; {
		case c == '#' || c == ';':
			if !r.comment() {
				return false, errors.New("a comment ends in a backslash: systemd would take the next line for a part of it")
			}
		case strings.IndexByte(blanks, c) >= 0:
			r.next()
		default:
			return true, nil
		}
	}
	return false, nil
}

// comment passes one up to the end of its line. False is a backslash before that.
func (r *lines) comment() bool {
	for r.text != "" && !endsLine(r.text[0]) {
		if r.next() != '\\' {
			continue
		}
		if r.text == "" || endsLine(r.text[0]) {
			return false
		}
		r.next()
	}
	return true
}

func endsLine(c byte) bool { return c == '\n' || c == '\r' }

func (r *lines) variable() (name, value string, err error) {
	equals := strings.IndexAny(r.text, "=\r\n")
	if equals < 0 || r.text[equals] != '=' {
		return "", "", errors.New("it has no =")
	}
	name = strings.TrimRight(r.text[:equals], " \t")
	for i, c := range []byte(name) {
		if c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') && (i == 0 || c < '0' || c > '9') {
			return "", "", errors.New("what stands before = is not the name of a variable")
		}
	}
	if name == "" {
		return "", "", errors.New("nothing stands before =")
	}
	r.text = r.text[equals+1:]
	value, err = r.value()
	return name, value, err
}

// value reads up to the end of the line that ends it. Pieces in quotes and without follow
// each other with nothing between them.
func (r *lines) value() (string, error) {
	var b strings.Builder
	quoted, gap := false, false
	for r.text != "" {
		switch c := r.next(); {
		case endsLine(c):
			return b.String(), nil
		case c == ' ' || c == '\t':
			gap = quoted
		case gap:
			return "", errors.New("there is text after a closing quote")
		case c == '\'' || c == '"':
			if !r.quoted(c, &b) {
				return "", errors.New("a quote is not closed")
			}
			quoted = true
		default:
			return r.bare(c, b.String())
		}
	}
	return b.String(), nil
}

// quoted reads up to the closing quote, and tells whether there is one. In
// double quotes a backslash goes before one of "\`$ or ends a line that goes on.
func (r *lines) quoted(quote byte, b *strings.Builder) bool {
	for r.text != "" {
		c := r.next()
		switch {
		case c == quote:
			return true
		case c == '\\' && quote == '"' && r.text != "":
			if c = r.next(); c == '\n' {
				continue
			}
			if strings.IndexByte("\"\\`$", c) < 0 {
				b.WriteByte('\\')
			}
		}
		b.WriteByte(c)
	}
	return false
}

// bare reads the rest of a line, where quotes mean themselves and a backslash stands before any
// character, or ends a line that goes on. Blanks at the end do not count.
func (r *lines) bare(c byte, before string) (string, error) {
	b := []byte(before)
	kept := len(b)
	for ; !endsLine(c); c = r.next() {
		switch {
		case c == '\\' && r.text == "":
			return "", errors.New("nothing stands after a backslash")
		case c == '\\' && strings.HasPrefix(r.text, "\r\n"):
			return "", errors.New("a backslash stands before a line end of Windows: for systemd the value ends there")
		case c == '\\':
			if c = r.next(); !endsLine(c) {
				b = append(b, c)
			}
			kept = len(b)
		case c == ' ' || c == '\t':
			b = append(b, c)
		default:
			b = append(b, c)
			kept = len(b)
		}
		if r.text == "" {
			break
		}
	}
	return string(b[:kept]), nil
}
