package diag

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// window is how many characters of a long line are shown.
const window = 120

// The colours of a terminal (ECMA-48, section 8.3.117).
const (
	red    = "\x1b[1;31m"
	yellow = "\x1b[1;33m"
	green  = "\x1b[1;32m"
	blue   = "\x1b[1;34m"
	bold   = "\x1b[1m"
	reset  = "\x1b[0m"
)

// Write prints every finding as one block: position, severity, message and
// rule; the source line; carets under the characters that are meant; the hint.
// With colour it adds escape sequences for a terminal. The error is that of w.
func (fs Findings) Write(w io.Writer, colour bool) error {
	paint := func(code, s string) string {
		if !colour {
			return s
		}
		return code + s + reset
	}
	var b strings.Builder
	for _, f := range fs {
		severity := map[Severity]string{Error: red, Warning: yellow, Note: blue}[f.Severity]
		fmt.Fprintf(&b, "%s %s %s [%s]\n",
			paint(bold, printable(f.place())), paint(severity, string(f.Severity)+":"), printable(f.Message), f.Rule)
		if f.Line > 0 && strings.TrimSpace(f.Excerpt) != "" {
			line, carets := f.excerpt()
			fmt.Fprintf(&b, "    %s\n    %s\n", line, paint(severity, carets))
		}
		if f.Hint != "" {
			fmt.Fprintf(&b, "    %s %s\n", paint(green, "hint:"), printable(f.Hint))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// place is "file:line:column:", as editors and terminals recognise it.
func (f Finding) place() string {
	if f.Line == 0 {
		return f.File + ":"
	}
	return fmt.Sprintf("%s:%d:%d:", f.File, f.Line, f.Column)
}

// excerpt returns the source line, cut to the window around the column, and
// the line of carets under it. Tabs are repeated in the second line, so that
// the carets stand right whatever the terminal makes of them.
func (f Finding) excerpt() (line, carets string) {
	length := utf8.RuneCountInString(f.Excerpt)
	at := min(max(f.Column-1, 0), length)
	end := min(at+max(f.Width, 1), length)
	from := 0
	if length > window {
		from = max(0, min(at-window/3, length-window))
		end = min(end, from+window)
	}
	text := characters(f.Excerpt, from, window)
	var pad strings.Builder
	for _, r := range text[:at-from] {
		if r == '\t' {
			pad.WriteByte('\t')
			continue
		}
		pad.WriteString(strings.Repeat(" ", cells(r)))
	}
	n := 0
	for _, r := range text[at-from : end-from] {
		n += cells(r)
	}
	line, carets = printable(string(text)), pad.String()+strings.Repeat("^", max(n, 1))
	if from > 0 {
		line, carets = "…"+line, " "+carets
	}
	if from+len(text) < length {
		line += "…"
	}
	return line, carets
}

// characters returns n characters of s, or as many as there are, from the
// given one on. A line may have a million of them.
func characters(s string, from, n int) []rune {
	text := make([]rune, 0, n)
	for _, r := range s {
		if from--; from >= 0 {
			continue
		}
		if len(text) == n {
			break
		}
		text = append(text, r)
	}
	return text
}

// printable replaces what could steer a terminal: a spec from elsewhere must
// not move the cursor of whoever lints it.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// cells is how many columns of a terminal a character takes: none for a
// combining mark, two for East Asian wide ones and emoji (Unicode Annex 11).
func cells(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me), r == '\u200d':
		return 0
	case unicode.In(r, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana),
		r >= 0x3000 && r <= 0x303e, r >= 0xff01 && r <= 0xff60, r >= 0x1f300 && r <= 0x1faff:
		return 2
	default:
		return 1
	}
}
