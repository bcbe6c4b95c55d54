package version

import "strings"

// CompareDeb orders two Debian versions as dpkg does: -1 when a is older than
// b, 0 when they are equal, 1 when a is newer. Any string is taken; what is not
// a valid version is still ordered, always the same way.
//
// The order is that of deb-version(7): epoch, then upstream version, then
// revision, where a missing epoch or revision counts as 0.
func CompareDeb(a, b string) int {
	epochA, upstreamA, revisionA := splitDeb(a)
	epochB, upstreamB, revisionB := splitDeb(b)
	if c := compareDebPart(epochA, epochB); c != 0 {
		return c
	}
	if c := compareDebPart(upstreamA, upstreamB); c != 0 {
		return c
	}
	return compareDebPart(revisionA, revisionB)
}

// splitDeb cuts "[epoch:]upstream[-revision]": the epoch ends at the first
// colon, the revision starts at the last hyphen.
func splitDeb(v string) (epoch, upstream, revision string) {
	upstream = v
	if before, after, found := strings.Cut(v, ":"); found {
		epoch, upstream = before, after
	}
	if i := strings.LastIndexByte(upstream, '-'); i >= 0 {
		upstream, revision = upstream[:i], upstream[i+1:]
	}
	return epoch, upstream, revision
}

// compareDebPart walks both strings in turns: a run without digits, compared
// by weight, then a run of digits, compared as a number of any length.
func compareDebPart(a, b string) int {
	for a != "" || b != "" {
		for startsText(a) || startsText(b) {
			if wa, wb := debWeight(a), debWeight(b); wa != wb {
				return sign(wa - wb)
			}
			a, b = a[1:], b[1:] // equal weights, so neither is at its end
		}
		var numberA, numberB string
		numberA, a = cutDigits(a)
		numberB, b = cutDigits(b)
		if len(numberA) != len(numberB) {
			return sign(len(numberA) - len(numberB))
		}
		if c := strings.Compare(numberA, numberB); c != 0 {
			return c
		}
	}
	return 0
}

// debWeight is the place of the first character in the order: a tilde before
// the end of the string, the end before letters, letters before the rest.
func debWeight(s string) int {
	switch {
	case s == "" || isDigit(s[0]):
		return 0
	case s[0] == '~':
		return -1
	case 'A' <= s[0] && s[0] <= 'Z' || 'a' <= s[0] && s[0] <= 'z':
		return int(s[0])
	default:
		return int(s[0]) + 256
	}
}

// cutDigits takes the leading digits, without leading zeros, off s.
func cutDigits(s string) (digits, rest string) {
	end := 0
	for end < len(s) && isDigit(s[end]) {
		end++
	}
	return strings.TrimLeft(s[:end], "0"), s[end:]
}

func startsText(s string) bool { return s != "" && !isDigit(s[0]) }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}
