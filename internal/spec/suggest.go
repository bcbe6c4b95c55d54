package spec

import (
	"fmt"
	"strings"
)

// meant guesses which key the author had in mind: one of the same object that
// is spelled alike, or one of that name in another place.
func (p *parser) meant(here object, name, path string) string {
	var known []string
	for _, k := range here {
		known = append(known, k.name)
	}
	if best := nearest(name, known); best != "" {
		return fmt.Sprintf("did you mean %s?", best)
	}
	if place := p.root.find(name, ""); place != "" {
		return fmt.Sprintf("did you mean %s?", place)
	}
	where := "at the top"
	if path != "" {
		where = "in " + path
	}
	return fmt.Sprintf("allowed %s: %s", where, strings.Join(known, ", "))
}

// find returns the path of the first key of that name, or "".
func (o object) find(name, path string) string {
	for _, k := range o {
		inner := strings.TrimPrefix(path+"."+k.name, ".")
		if k.name == name {
			return inner
		}
		if o, ok := k.value.(object); ok {
			if found := o.find(name, inner); found != "" {
				return found
			}
		}
	}
	return ""
}

// nearest returns the candidate that is at most a third of its letters away
// from the name, or begins with it or the other way round, or "".
func nearest(name string, candidates []string) string {
	best, least := "", 1<<30
	if len(name) > 40 {
		return ""
	}
	for _, c := range candidates {
		d := distance(strings.ToLower(name), c)
		lower := strings.ToLower(name)
		if len(name) > 3 && strings.HasPrefix(c, lower) || len(c) >= 3 && strings.HasPrefix(lower, c) {
			d = min(d, 1)
		}
		if d < least && d <= max(1, len(c)/3) {
			best, least = c, d
		}
	}
	return best
}

// distance counts the letters to insert, delete, replace or swap with their
// neighbour (optimal string alignment).
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

// quoted shows a piece of the user's text in a message, cut to a sane length
// and without secrets.
func quoted(s string) string {
	return fmt.Sprintf("%.60q", withoutLeaks(s[:min(len(s), 1000)]))
}

// last is the name of a key without the path to it.
func last(path string) string {
	if path == "" {
		return "the file"
	}
	return path[strings.LastIndexByte(path, '.')+1:]
}
