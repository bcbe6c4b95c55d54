package spec

import (
	"encoding/base64"
	"math"
	"regexp"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// looksRandom reports whether a text is, or contains, what only a generator
// of secrets would write. It prefers to miss one to crying wolf: what has a
// known harmless form, reads like words or decodes to text is none.
func looksRandom(text string) bool {
	if wholeBase64().MatchString(text) && random(text) {
		return true
	}
	for _, word := range strings.FieldsFunc(text, func(r rune) bool {
		return r >= utf8.RuneSelf || !alphanumeric(byte(r)) && r != '_' && r != '-'
	}) {
		if random(word) {
			return true
		}
	}
	return false
}

var wholeBase64 = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9+][A-Za-z0-9+/]+={0,2}$`) })

// random judges one word. Twenty characters of base64 are 120 bits.
func random(word string) bool {
	if len(word) < 20 || len(word) > 512 || strings.HasPrefix(word, "AAAA") {
		return false // the last begins the public keys of OpenSSH (RFC 4253, section 6.6)
	}
	var upper, lower, digit bool
	changes, kind := 0, 0
	run, inWords := 0, 0 // small letters in a row
	for i := 0; i < len(word); i++ {
		c, now := rune(word[i]), 0
		switch {
		case unicode.IsUpper(c):
			upper, now = true, 1
		case unicode.IsLower(c):
			lower, now = true, 2
		case unicode.IsDigit(c):
			digit, now = true, 3
		}
		if now != kind && now != 0 && kind != 0 {
			changes++
		}
		kind = now
		if run++; now != 2 {
			run = 0
		}
		switch {
		case run == 3:
			inWords += 3
		case run > 3:
			inWords++
		}
	}
	// Hexadecimal digits have one case: commits, digests and UUIDs are none.
	// Random letters change their kind at six of ten places, words do rarely.
	if !upper || !lower || !digit || changes < len(word)*35/100 || inWords > len(word)*45/100 || entropy(word) < 3.6 {
		return false
	}
	return !decodesToText(word)
}

// entropy is Shannon's, in bits a character.
func entropy(s string) float64 {
	var counts [256]int
	for i := 0; i < len(s); i++ {
		counts[s[i]]++
	}
	sum := 0.0
	for _, n := range counts {
		if n > 0 {
			p := float64(n) / float64(len(s))
			sum -= p * math.Log2(p)
		}
	}
	return sum
}

// decodesToText reports whether base64 hides nothing but words.
func decodesToText(s string) bool {
	raw, err := base64.RawStdEncoding.DecodeString(strings.NewReplacer("-", "+", "_", "/", "=", "").Replace(s))
	if err != nil || !utf8.Valid(raw) {
		return false
	}
	return !strings.ContainsFunc(string(raw), func(r rune) bool { return !unicode.IsPrint(r) && !unicode.IsSpace(r) })
}
