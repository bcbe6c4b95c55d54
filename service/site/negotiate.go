package site

import (
	"iter"
	"strings"
)

// choose returns the form to send to a client with these Accept-Encoding headers
// by RFC 9110, section 12.5.3: the one with the highest weight, of equal ones the
// smallest. Nil when the client takes none.
//
// Without the header the file is sent as it is. A file as it is is what a client
// takes that does not say otherwise, but after what it asks for.
func (e *entry) choose(accept []string) *form {
	plain := &e.forms[len(e.forms)-1]
	if len(accept) == 0 {
		return plain
	}
	var best *form
	most := 0
	for i := range e.forms { // the smallest first
		f := &e.forms[i]
		if q := f.weight(accept); q > most {
			best, most = f, q
		}
	}
	return best
}

// weight is how much a client wants this form: 0 not at all. That is what the
// header says of its coding, or of * when it does not name it.
func (f *form) weight(accept []string) int {
	name := "identity"
	if f.coding != nil {
		name = f.coding[0]
	}
	named, any := -1, -1
	for item := range items(accept) {
		coding, parameters, _ := strings.Cut(item, ";")
		coding = strings.TrimSpace(coding)
		switch {
		case coding == "*":
			any = max(any, weight(parameters))
		case strings.EqualFold(coding, name), name == "gzip" && strings.EqualFold(coding, "x-gzip"):
			named = max(named, weight(parameters))
		}
	}
	switch {
	case named >= 0:
		return named * 2
	case any >= 0:
		return any * 2
	case f.coding == nil:
		return 1 // acceptable, and wanted less than anything that is named
	}
	return 0
}

// items are the elements of a list header, which may come in several lines.
func items(lines []string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, line := range lines {
			for item := range strings.SplitSeq(line, ",") {
				if item = strings.TrimSpace(item); item != "" && !yield(item) {
					return
				}
			}
		}
	}
}

// weight reads the parameter q (RFC 9110, section 12.4.2) in thousandths: 1000
// without one, 0 when it is none.
func weight(parameters string) int {
	for p := range strings.SplitSeq(parameters, ";") {
		key, value, ok := strings.Cut(strings.TrimSpace(p), "=")
		if !ok || !strings.EqualFold(key, "q") {
			continue
		}
		whole, fraction, _ := strings.Cut(value, ".")
		if len(whole) != 1 || whole[0] > '1' || len(fraction) > 3 {
			return 0
		}
		q := 0
		for _, digit := range whole + (fraction + "000")[:3] {
			if digit < '0' || digit > '9' {
				return 0
			}
			q = q*10 + int(digit-'0')
		}
		return min(q, 1000)
	}
	return 1000
}
