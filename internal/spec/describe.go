package spec

import (
	"fmt"
	"strconv"
	"strings"

	cal "github.com/kinectl/kinectl/internal/calendar"
)

// description says what a reader takes: as a schema, and in words for people.
type description struct {
	node  *node
	words string
}

// describe is the one place that knows what every reader takes. A reader that
// it does not know has an empty description, which a test forbids.
func describe(r reader) description {
	switch r := r.(type) {
	case object:
		return description{r.node(), "keys"}
	case interface{ entries() object }:
		return description{&node{Type: "array", Items: r.entries().node()}, "list of entries"}
	case text:
		return describeText(r)
	case choice:
		return description{&node{Type: "string", Enum: r.of}, oneOf(r.of)}
	case integer:
		words := strconv.Itoa(r.min) + " to " + strconv.Itoa(r.max)
		return description{&node{AnyOf: []*node{{Type: "integer", Minimum: &r.min, Maximum: &r.max}, underscored()}}, words}
	case boolean:
		return description{&node{Type: "boolean"}, "`true` or `false`"}
	case duration:
		return description{matching(`^[+-]?(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$`), "`" + span(r.min) + "` to `" + span(r.max) + "`"}
	case size:
		return description{matching(`^([1-9][0-9]{0,9}(_[0-9]+)*[KMGT]|unlimited)$`), "`8M` to `16T`, or `unlimited`"}
	case serial:
		one, most := 1, 99_999
		batch := &node{AnyOf: []*node{{Type: "integer", Minimum: &one, Maximum: &most}, underscored(), matching(percentPattern.String())}}
		return description{&node{AnyOf: append([]*node{{Type: "array", Items: batch, MinItems: 1}}, batch.AnyOf...)}, "number, percentage, or a list of them"}
	case names:
		if r.of != nil {
			return description{listOf(&node{Type: "string", Enum: r.of}), "list of " + oneOf(r.of)}
		}
		return description{listOf(matching(r.like.String())), "list: " + r.hint}
	case capabilities:
		item := &node{}
		for _, c := range Capabilities() {
			item.AnyOf = append(item.AnyOf, &node{Const: c.Name, Description: c.Doc})
		}
		return description{listOf(item), "list of [names](#capabilities)"}
	default:
		return describeOwn(r)
	}
}

// describeOwn describes the readers that one key has for itself.
func describeOwn(r reader) description {
	switch r := r.(type) {
	case environment:
		return description{&node{Type: "string"}, "block of lines"}
	case requires:
		list := listOf(trimmed(packagePattern.String()))
		closed := false
		byName := &node{Type: "object", PatternProperties: properties{{distributionPattern.String(), list}}, AdditionalProperties: &closed}
		return description{&node{AnyOf: []*node{list, byName}}, "list of packages, or a map of them by distribution"}
	case allow:
		return description{listOf(describeAllow()), "list of [loosenings](#securityallow)"}
	case sockets:
		return description{listOf(trimmed(`^(((tcp|udp)://)?[^/]*:[0-9]{1,5}|/[^/].*[^/])$`)), "list of addresses: `:PORT`, `HOST:PORT`, with `udp://` before it, or an absolute path"}
	case command:
		if r.none != nil {
			return description{matching(`^\s*(["'\\]*/|none\s*$)`), "command line, or `none`"}
		}
		return description{matching(`^\s*["'\\]*/`), "command line"}
	case signal:
		return description{&node{AnyOf: []*node{{Type: "string", Enum: Signals()}, matching(`^\s*(["'\\]*/|(` + strings.Join(Signals(), "|") + `)\s*$)`)}}, oneOf(Signals()) + ", or a command line"}
	case calendar:
		return description{&node{AnyOf: []*node{{Type: "string", Enum: cal.Words()}, matching(`[0-9*A-Za-z]`)}}, "calendar expression"}
	case cpus:
		none, most := 0, 9999
		return description{&node{AnyOf: []*node{{Type: "integer", Minimum: &none, Maximum: &most}, matching(cpusPattern.String())}}, `numbers and ranges, like "0-3,8"`}
	case quota:
		none := 0
		return description{&node{AnyOf: []*node{{Type: "number", Minimum: &none}, matching(quotaPattern.String())}}, "number of CPUs, or a percentage of one"}
	case mode:
		// An editor reads 0644 without quotes as a decimal number.
		none, most := 0, 7777
		return description{&node{AnyOf: []*node{matching(`^0[0-7]{2}[0145]$`), {Type: "integer", Minimum: &none, Maximum: &most}}}, "four octal digits in quotes"}
	case checksums:
		sum, closed := matching(sumPattern.String()), false
		byArch := &node{Type: "object", Properties: properties{{"amd64", sum}, {"arm64", sum}}, AdditionalProperties: &closed}
		return description{&node{AnyOf: []*node{sum, byArch}}, "64 hexadecimal digits, or a map of them by architecture"}
	}
	return description{node: &node{}}
}

func describeText(r text) description {
	n := matching(`^\s*[^\s][^\n\t]*\s*$`)
	words := "one line"
	if r.like != nil {
		n, words = trimmed(r.like.String()), r.hint
	}
	n.MaxLength = r.max
	if r.like == nil || !strings.Contains(r.like.String(), "{") || !strings.HasSuffix(r.like.String(), "}$") {
		words += fmt.Sprintf("; at most %d characters", r.max)
	}
	return description{n, words}
}

// describeAllow describes one entry of security.allow.
func describeAllow() *node {
	item, closed := &node{}, false
	for _, q := range Permissions() {
		if q.Takes == "" {
			item.AnyOf = append(item.AnyOf, &node{Const: q.Name, Description: q.Doc})
			continue
		}
		list := &node{Type: "array", Items: matching(q.like.String()), UniqueItems: true, Examples: []any{value(q.Takes)}}
		item.AnyOf = append(item.AnyOf, &node{
			Type: "object", Description: q.Doc, Properties: properties{{q.Name, list}},
			AdditionalProperties: &closed, MinProperties: 1, MaxProperties: 1,
		})
	}
	return item
}

// entries are the keys of one entry of the list.
func (l list[T]) entries() object {
	var v T
	return l.of(&v)
}

// underscored is a number such as 10_000. The YAML of most editors (1.2) takes
// it for text.
func underscored() *node { return matching(`^-?[1-9][0-9]*(_[0-9]+)+$`) }

// trimmed is a pattern for a text whose blanks at both ends Parse takes off.
func trimmed(pattern string) *node {
	return matching(`^\s*(?:` + strings.TrimSuffix(strings.TrimPrefix(pattern, "^"), "$") + `)\s*$`)
}

func matching(pattern string) *node { return &node{Type: "string", Pattern: pattern} }

func listOf(item *node) *node { return &node{Type: "array", Items: item, UniqueItems: true} }

// oneOf writes words for people: `a`, `b` or `c`.
func oneOf(words []string) string {
	all := "`" + strings.Join(words, "`, `") + "`"
	if i := strings.LastIndex(all, ", "); i >= 0 {
		all = all[:i] + " or" + all[i+1:]
	}
	return all
}
