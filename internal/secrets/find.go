// Package secrets looks after the secrets in a tree of files, an infra
// repository: [Rekey] gives all vault texts another password at once, and
// [Lint] finds what is not encrypted. Both stand on [Find], which knows where
// vault texts are in any text file: YAML, INI, KEY=value lines, or a file that
// is one as a whole.
package secrets

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/kinectl/kinectl/internal/lazyregexp"
)

// The beginning of a vault text, and of its base64.
const (
	mark       = "$ANSIBLE_VAULT;"
	markBase64 = "JEFOU0lCTEVfVkFVTFQ7"
)

// least is how many characters a vault text has at least in base64; fewer are a
// word about one. The shortest real one has more than 400.
const least = 100

// Text is a vault text in a file.
type Text struct {
	Name         string // of its variable, as far as can be told
	Tagged       bool   // it has the tag !vault: Ansible decrypts it
	Line, Column int    // where it begins, from 1, in characters
	From, To     int    // its bytes in the file, with blanks and line ends that are in it
}

// Find returns the vault texts of a file in their order, damaged ones too: the
// form of a text is for vault.Check to judge. It knows the raw form, with or
// without indentation, and base64 in one line or many.
func Find(body []byte) []Text {
	if !bytes.Contains(body, []byte(mark)) && !bytes.Contains(body, []byte(markBase64)) {
		return nil
	}
	var all []Text
	var before string // the last line that is not empty
	at := 0           // where the line begins
	lines := bytes.SplitAfter(body, []byte("\n"))
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		from, count, length := find(lines[i:])
		if from < 0 {
			if len(bytes.TrimSpace(line)) > 0 {
				before = string(line)
			}
			at += len(line)
			continue
		}
		t := Text{Line: i + 1, Column: utf8.RuneCount(line[:from]) + 1, From: at + from, To: at + from + length}
		t.Name, t.Tagged = named(string(line[:from]), before)
		all = append(all, t)
		for range count - 1 {
			at += len(lines[i])
			i++
		}
		at += len(lines[i])
		before = ""
	}
	return all
}

// find looks for a text that begins in the first line. It returns where, how
// many lines it has a part in, and its length in bytes; from is -1 when there
// is none.
func find(lines [][]byte) (from, count, length int) {
	line := string(lines[0])
	if from = strings.Index(line, mark); from >= 0 {
		if m := inQuotes.FindStringSubmatch(line[from:]); m != nil {
			return from, 1, len(m[0]) // nobody can read it so, and it must not go unnoticed
		}
		if rawHeader.MatchString(strings.TrimRight(line[from:], " \t\r\n")) {
			count, length = extent(lines, from, func(s string) bool { return hexLine.MatchString(s) })
		}
		if count > 1 {
			return from, count, length
		}
	}
	from = strings.Index(line, markBase64)
	if from < 0 || from > 0 && line[from-1] != '=' && inBase64(line[from-1]) {
		return -1, 0, 0
	}
	first := line[from:]
	end := strings.IndexFunc(first, func(r rune) bool { return r >= utf8.RuneSelf || !inBase64(byte(r)) })
	if end < 0 {
		end = len(first)
	}
	count, length = 1, end
	if rest := strings.TrimSpace(first[end:]); rest == "" && !strings.HasSuffix(first[:end], "=") {
		padded := false
		count, length = extent(lines, from, func(s string) bool {
			if padded || !base64Line.MatchString(s) {
				return false
			}
			padded = strings.HasSuffix(s, "=")
			return true
		})
	}
	if length < least {
		return -1, 0, 0
	}
	return from, count, length
}

// extent is how far a text goes that begins in the first line: as long as more
// says yes to the lines after it. They are indented, unless the text begins its line: X= is
// base64 too, and the next line of a file of variables.
func extent(lines [][]byte, from int, more func(string) bool) (count, length int) {
	count, length = 1, len(bytes.TrimRight(lines[0], " \t\r\n"))-from
	sum := len(lines[0]) - from
	for _, line := range lines[1:] {
		text := bytes.TrimSpace(line)
		if len(text) == 0 || from > 0 && line[0] != ' ' && line[0] != '\t' || !more(string(text)) {
			break
		}
		count++
		length = sum + len(bytes.TrimRight(line, " \t\r\n"))
		sum += len(line)
	}
	return count, length
}

var (
	rawHeader  = lazyregexp.New(`^\$ANSIBLE_VAULT;1\.[0-9]+;[A-Z0-9]+(;[^\s;]+)?$`)
	inQuotes   = lazyregexp.New(`^\$ANSIBLE_VAULT;[A-Za-z0-9.;_-]+(\\n[0-9a-f]{4,})+`)
	hexLine    = lazyregexp.New(`^[0-9a-fA-F]+$`)
	base64Line = lazyregexp.New(`^[A-Za-z0-9+/]+={0,2}$`)
	// A key before its value in one line, and one whose value follows below.
	keyBefore = lazyregexp.New(`([A-Za-z_][A-Za-z0-9_.-]*)["']?\s*[:=]\s*(!\S+\s+)?["']?$`)
	keyAbove  = lazyregexp.New(`([A-Za-z_][A-Za-z0-9_.-]*)["']?\s*[:=]\s*(!\S+\s*)?["']?([|>][0-9+-]*)?\s*(?:#.*)?$`)
)

// named finds the name of the variable that a text is the value of: before it
// in its line, or in the last line above.
func named(before, above string) (name string, tagged bool) {
	m := keyBefore.FindStringSubmatch(before)
	if m == nil && strings.TrimSpace(before) == "" {
		m = keyAbove.FindStringSubmatch(strings.TrimRight(above, " \t\r\n"))
	}
	if m == nil {
		return "", false
	}
	return m[1], strings.HasPrefix(m[2], "!vault")
}

func inBase64(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/' || c == '='
}

// put writes another vault text in the place of one: raw where it was raw,
// base64 where it was that, with the same line ends and indentation.
func put(place []byte, encrypt func(raw bool) ([]byte, error)) ([]byte, error) {
	raw := bytes.HasPrefix(place, []byte(mark))
	text, err := encrypt(raw)
	if err != nil {
		return nil, err
	}
	if !raw {
		return pour(place, text), nil
	}
	_, layout, _ := bytes.Cut(place, []byte("\n"))
	header, rest, _ := bytes.Cut(text, []byte("\n"))
	end := []byte("\n")
	if bytes.Contains(place, []byte("\r\n")) {
		end = []byte("\r\n")
	}
	return append(append(bytes.Clone(header), end...), pour(layout, rest)...), nil
}

// pour puts the characters of a text in the place of those of another, between
// the same blanks. What is too many goes to the end.
func pour(place, text []byte) []byte {
	text = bytes.Join(bytes.Fields(text), nil)
	var out []byte
	for _, c := range place {
		if c == ' ' || c == '\t' || c == '\r' || c == '\n' {
			out = append(out, c)
			continue
		}
		if len(text) == 0 {
			break
		}
		out, text = append(out, text[0]), text[1:]
	}
	return append(bytes.TrimRight(out, " \t\r\n"), text...)
}
