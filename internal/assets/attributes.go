package assets

import "strings"

// attribute is one of a tag, where it stands in it.
type attribute struct {
	name       string // in small letters
	value      string // as written
	start, end int    // of the value, with its quotes
	at         int    // of the value without them
}

// attributes reads those of a start tag, from its "<" to its ">", by the HTML standard,
// sections 13.2.5.32 to 13.2.5.39. Of two with one name the first holds.
func attributes(tag string) []attribute {
	const blank = " \t\r\n\f"
	at := 1
	for at < len(tag) && !strings.ContainsRune(blank+"/>", rune(tag[at])) {
		at++
	}
	var all []attribute
	seen := map[string]bool{}
	for {
		for at < len(tag) && strings.IndexByte(blank+"/", tag[at]) >= 0 {
			at++
		}
		if at >= len(tag) || tag[at] == '>' {
			return all
		}
		start := at
		at++ // also an = at the beginning
		for at < len(tag) && strings.IndexByte(blank+"/>=", tag[at]) < 0 {
			at++
		}
		a := attribute{name: lower(tag[start:at])}
		after := at
		for after < len(tag) && strings.IndexByte(blank, tag[after]) >= 0 {
			after++
		}
		if after < len(tag) && tag[after] == '=' {
			at = after + 1
			for at < len(tag) && strings.IndexByte(blank, tag[at]) >= 0 {
				at++
			}
			a.start = at
			at, a.value = attributeValue(tag, at)
			a.end = at
			a.at = a.start + strings.Index(tag[a.start:a.end], a.value)
		}
		if !seen[a.name] {
			all = append(all, a)
		}
		seen[a.name] = true
	}
}

// attributeValue reads a value at a place, and returns the place after it.
func attributeValue(tag string, at int) (int, string) {
	if at < len(tag) && (tag[at] == '"' || tag[at] == '\'') {
		if end := strings.IndexByte(tag[at+1:], tag[at]); end >= 0 {
			return at + end + 2, tag[at+1 : at+1+end]
		}
		return len(tag), tag[at+1:] // the tokenizer hands out no such tag
	}
	end := at
	for end < len(tag) && strings.IndexByte(" \t\r\n\f>", tag[end]) < 0 {
		end++
	}
	return end, tag[at:end]
}

// lower makes letters of ASCII small, as HTML compares names; strings.ToLower
// would mend what is no UTF-8.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] += 'a' - 'A'
		}
	}
	return string(b)
}
