package version

import "strings"

// CompareRPM orders two rpm versions, [epoch:]version[-release], as rpm does:
// -1 when a is older than b, 0 when they are equal, 1 when a is newer. Any
// string is taken. A missing epoch counts as 0; a missing release is equal to
// any, as in a dependency.
//
// The order is that of rpm-version(7).
func CompareRPM(a, b string) int {
	epochA, versionA, releaseA := splitRPM(a)
	epochB, versionB, releaseB := splitRPM(b)
	if c := compareRPMPart(epochA, epochB); c != 0 {
		return c
	}
	if c := compareRPMPart(versionA, versionB); c != 0 {
		return c
	}
	if releaseA == "" || releaseB == "" {
		return 0
	}
	return compareRPMPart(releaseA, releaseB)
}

func splitRPM(v string) (epoch, version, release string) {
	epoch, version = "0", v
	if before, after, found := strings.Cut(v, ":"); found {
		epoch, version = before, after
	}
	if i := strings.LastIndexByte(version, '-'); i >= 0 {
		version, release = version[:i], version[i+1:]
	}
	return epoch, version, release
}

// compareRPMPart walks both strings by segments of digits or of letters; all
// else only separates. A tilde is older than the end, a caret newer than the
// end and older than anything that follows.
func compareRPMPart(a, b string) int {
	if a == b {
		return 0
	}
	for {
		a, b = strings.TrimLeftFunc(a, separatesRPM), strings.TrimLeftFunc(b, separatesRPM)
		if tildeA, tildeB := strings.HasPrefix(a, "~"), strings.HasPrefix(b, "~"); tildeA || tildeB {
			if tildeA != tildeB {
				return older(tildeA)
			}
			a, b = a[1:], b[1:]
			continue
		}
		if caretA, caretB := strings.HasPrefix(a, "^"), strings.HasPrefix(b, "^"); caretA || caretB {
			switch {
			case a == "":
				return -1
			case b == "":
				return 1
			case caretA != caretB:
				return older(caretA)
			}
			a, b = a[1:], b[1:]
			continue
		}
		if a == "" || b == "" {
			return sign(len(a) - len(b))
		}
		if isDigit(a[0]) != isDigit(b[0]) {
			return older(isDigit(b[0])) // a number is newer than a word
		}
		var c int
		if isDigit(a[0]) {
			var numberA, numberB string
			numberA, a = cutDigits(a)
			numberB, b = cutDigits(b)
			if c = sign(len(numberA) - len(numberB)); c == 0 {
				c = strings.Compare(numberA, numberB)
			}
		} else {
			var wordA, wordB string
			wordA, a = cutLetters(a)
			wordB, b = cutLetters(b)
			c = strings.Compare(wordA, wordB)
		}
		if c != 0 {
			return c
		}
	}
}

func older(is bool) int {
	if is {
		return -1
	}
	return 1
}

func separatesRPM(r rune) bool {
	return r != '~' && r != '^' && !(r < 128 && (isDigit(byte(r)) || isLetter(byte(r))))
}

func cutLetters(s string) (word, rest string) {
	end := 0
	for end < len(s) && isLetter(s[end]) {
		end++
	}
	return s[:end], s[end:]
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
