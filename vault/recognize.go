package vault

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"
)

// The beginning of a vault text, and of its base64. The second is what does not depend
// on the byte after it: "$ANSIBLE_VAU".
const (
	mark       = "$ANSIBLE_VAULT"
	markBase64 = "JEFOU0lCTEVfVkFV"
)

// IsEncrypted tells whether text is a vault text, raw or base64, by its
// beginning. It may be damaged further on: see [Check].
func IsEncrypted(text []byte) bool {
	text = bytes.TrimLeft(text, blanks)
	if bytes.HasPrefix(text, []byte(mark)) {
		return true
	}
	rest := markBase64
	for _, c := range text { // base64 may be wrapped anywhere
		switch {
		case rest == "":
			return true
		case c == rest[0]:
			rest = rest[1:]
		case !strings.ContainsRune(blanks, rune(c)):
			return false
		}
	}
	return rest == ""
}

// How much of a value is looked at, and how often it may be base64.
const (
	headLength = 512
	layers     = 2
)

// LooksEncrypted tells whether a value is a vault text or was certainly meant to be one:
// its beginning was changed or cut off, it has blanks before it inside of the base64, it is
// base64 twice. As a plain value such a one would go into a service unnoticed;
// [Environ] makes it an error. Ordinary values are never meant: keys in hexadecimal or base64,
// and tokens.
//
// Of a text without its front, what is left is known by two lines of 80 characters of the raw form, or by
// 60 characters of base64.
func LooksEncrypted(value string) bool {
	value = strings.TrimLeft(value, blanks)
	return IsEncrypted([]byte(value)) || isPart([]byte(value[:min(len(value), headLength)]), 0)
}

// isPart looks at text, which is in so many layers of base64.
func isPart(text []byte, layer int) bool {
	if IsEncrypted(text) || isFirstLine(text) || isBody(text, layer > 0) {
		return true
	}
	if layer == layers || len(text) < len(markBase64) {
		return false
	}
	solid := withoutBlanks(text)
	raw := make([]byte, base64.RawStdEncoding.DecodedLen(len(solid)))
	for cut := range min(4, len(solid)) { // the front may be gone up to anywhere between two groups of four
		n, _ := base64.RawStdEncoding.Decode(raw, solid[cut:]) // up to what is no base64
		if isPart(raw[:n], layer+1) {
			return true
		}
	}
	return false
}

// isFirstLine tells of a first line that was changed or cut. Each of the three places in it has an image
// in base64 at a place of its own.
func isFirstLine(text []byte) bool {
	start := string(bytes.TrimLeft(text[:min(len(text), 64)], blanks))
	if strings.HasPrefix(start, ";1.1;AES256") || strings.HasPrefix(start, ";1.2;AES256") {
		return true // a shell took $ANSIBLE_VAULT for a variable
	}
	for _, places := range [][]string{{"$ANSIBLE", "_VAULT;1.", ";AES256"}, {"JEFOU0lCTEVf", "VkFVTFQ7MS", "O0FFUzI1"}} {
		found := 0
		for _, place := range places {
			if strings.Contains(start, place) {
				found++
			}
		}
		if found >= 2 {
			return true
		}
	}
	return false
}

// isBody tells of lines that follow a first line. They are hexadecimal of hexadecimal: nearly all
// pairs of digits are those of a digit, a letter up to f or a newline. Of a random key one pair in 15 is. But a
// hash in hexadecimal may be written in hexadecimal once more, so out of base64 it takes
// lines of 80 characters, or the length of a body in one line.
func isBody(text []byte, inBase64 bool) bool {
	lines := bytes.Fields(text)
	var least int // pairs
	switch {
	case inBase64:
		least = 16
	case len(lines) == 1:
		least = 150
	case slices.ContainsFunc(lines, func(l []byte) bool { return len(l) == lineLength }):
		least = lineLength / 2
	default:
		return false
	}
	for skip := range min(2, len(lines)) { // the rest of a first line
		digits := bytes.Join(lines[skip:], nil)
		for odd := range 2 { // where the cut is in a pair
			if pairs, good := bodyPairs(digits[odd:]); pairs >= least && 10*good >= 9*pairs {
				return true
			}
		}
	}
	return false
}

func bodyPairs(digits []byte) (pairs, good int) {
	for ; len(digits) > 1; digits = digits[2:] {
		pairs++
		a, b := digits[0], digits[1]
		if a == '3' && b >= '0' && b <= '9' || a == '6' && b >= '1' && b <= '6' || a == '0' && b == 'a' {
			good++
		}
	}
	return pairs, good
}
