package calendar

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

// zones.txt holds the names with an area of the IANA timezone database, links
// of old included, as Debian 12 has them (tzdata 2025b, by the lines Z and L of
// /usr/share/zoneinfo/tzdata.zi), sorted. A host whose tzdata is older or
// smaller may lack some.
//
//go:embed zones.txt
var zonesText string

var zones = sync.OnceValue(func() []string { return strings.Fields(zonesText) })

// timezone takes the last word off when it is one: UTC, or a name of the IANA
// database with its area.
func (p *parser) timezone() {
	at := strings.LastIndexByte(p.text, ' ')
	if p.err != nil || at < 0 {
		return
	}
	name := p.text[at+1:]
	switch {
	case strings.EqualFold(name, "UTC"):
	case strings.IndexByte(letters, name[0]) < 0 || strings.ContainsAny(name, ".:,*~") || isWeekday(name):
		return // a time, or what is taken for one
	case name[0] >= 'a' && !strings.Contains(name, "/"):
		return
	case !known(name):
		hint := "UTC, or a name like Europe/Berlin"
		if meant := nearestZone(name); meant != "" {
			hint = "did you mean " + meant + "?"
		}
		p.fault(at+1, len(p.text), hint, "there is no timezone %s", name)
		return
	}
	if p.text[at-1] == ' ' {
		p.fault(at, at+1, "write one blank", "only one blank may stand before the timezone")
		return
	}
	p.text = p.text[:at]
}

func known(zone string) bool {
	_, found := slices.BinarySearch(zones(), zone)
	return found
}

// nearestZone returns the timezone of that place in another area or spelling,
// or the first that differs in a slip of at most two letters, or "".
func nearestZone(name string) string {
	lower := strings.ToLower(name)
	place := lower[strings.LastIndexByte(lower, '/')+1:]
	best := ""
	for _, zone := range zones() {
		other := strings.ToLower(zone)
		switch {
		case other == lower:
			return zone
		case place != "" && strings.HasSuffix(other, "/"+place):
			best = zone
		case best == "" && slip(lower, other):
			best = zone
		}
	}
	return best
}

// slip reports whether two words differ in one place, by at most two letters.
func slip(a, b string) bool {
	begin, end, short := 0, 0, min(len(a), len(b))
	for begin < short && a[begin] == b[begin] {
		begin++
	}
	for end < short-begin && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	return max(len(a), len(b))-begin-end <= 2
}
