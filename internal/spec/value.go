package spec

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/kinectl/kinectl/internal/lazyregexp"
)

// reader reads the value of one key. It reports what is wrong with it and
// sets its target only when nothing is.
type reader interface {
	read(p *parser, n *yaml.Node, path string)
}

// wrongType reports a value that is not what the key takes.
func (p *parser) wrongType(n *yaml.Node, path, want, hint string) {
	if n.Kind == yaml.AliasNode {
		return // reported by plain
	}
	got := map[string]string{
		"!!map": "a mapping", "!!seq": "a list", "!!str": "text", "!!int": "a number", "!!float": "a number with a fraction",
		"!!bool": "a boolean", "!!null": "nothing", "!!timestamp": "a date",
	}[n.Tag]
	if got == "" {
		got = "something else"
	}
	p.fault("wrong-type", path, p.at(n), hint, "%s must be %s, not %s", last(path), want, got)
}

// text is one line of text.
type text struct {
	to   *Value[string]
	like *lazyregexp.Regexp // nil takes anything
	hint string             // what like allows, for people
	max  int                // characters
}

func (t text) read(p *parser, n *yaml.Node, path string) {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" {
		hint := ""
		if n.Kind == yaml.ScalarNode {
			hint = fmt.Sprintf("put it in quotes: %q", n.Value)
		}
		p.wrongType(n, path, "text", hint)
		return
	}
	v, at := strings.TrimSpace(n.Value), p.at(n)
	switch length := utf8.RuneCountInString(n.Value); { // as the JSON Schema counts
	case strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 }):
		p.fault("one-line", path, at, "write it in one line, without tabs", "%s must be one line of text", last(path))
	case v == "":
		p.fault("missing-value", path, at, "", "%s is empty", last(path))
	case length > t.max:
		p.fault("out-of-range", path, at, "", "%s has %d characters, at most %d are allowed", last(path), length, t.max)
	case t.like != nil && !t.like.MatchString(v):
		p.fault("bad-value", path, at, t.hint, "%s cannot be %s", last(path), quoted(v))
	default:
		*t.to = Value[string]{v, true, at}
	}
}

// choice is one of a few words.
type choice struct {
	to *Value[string]
	of []string
}

func (c choice) read(p *parser, n *yaml.Node, path string) {
	switch {
	case n.Kind != yaml.ScalarNode || n.Tag != "!!str":
		p.wrongType(n, path, "one of "+strings.Join(c.of, ", "), "")
	case !slices.Contains(c.of, n.Value):
		p.fault("bad-value", path, p.at(n), "one of "+strings.Join(c.of, ", "), "%s cannot be %s", last(path), quoted(n.Value))
	default:
		*c.to = Value[string]{n.Value, true, p.at(n)}
	}
}

var numberPattern = lazyregexp.New(`^-?(0|[1-9][0-9]*(_[0-9]+)*)$`)

// integer is a whole number, which may be written 10_000.
type integer struct {
	to       *Value[int]
	min, max int
}

func (i integer) read(p *parser, n *yaml.Node, path string) {
	if p.strangeNumber(n, path) {
		return
	}
	if n.Kind != yaml.ScalarNode || n.Tag != "!!int" || !numberPattern.MatchString(n.Value) {
		hint := ""
		if n.Kind == yaml.ScalarNode && numberPattern.MatchString(n.Value) {
			hint = "write it without quotes: " + n.Value
		}
		p.wrongType(n, path, "a whole number", hint)
		return
	}
	v, err := strconv.Atoi(strings.ReplaceAll(n.Value, "_", ""))
	if err != nil || v < i.min || v > i.max {
		p.fault("out-of-range", path, p.at(n), "", "%s must be from %d to %d", last(path), i.min, i.max)
		return
	}
	*i.to = Value[int]{v, true, p.at(n)}
}

// strangeNumber reports a whole number that YAML knows and people misread, such
// as +5, 0x1F or 017.
func (p *parser) strangeNumber(n *yaml.Node, path string) bool {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!int" || numberPattern.MatchString(n.Value) {
		return false
	}
	hint := "write decimal digits, without a sign or zeros before them"
	plain := strings.TrimPrefix(n.Value, "+")
	if v, err := strconv.ParseInt(plain, 0, 64); numberPattern.MatchString(plain) {
		hint = "write " + plain
	} else if err == nil && (plain[0] != '0' || plain[1] > '9') {
		hint = fmt.Sprintf("write %d", v)
	}
	p.fault("bad-value", path, p.at(n), hint, "%s cannot be %s", last(path), quoted(n.Value))
	return true
}

// boolean is true or false.
type boolean struct{ to *Value[bool] }

func (b boolean) read(p *parser, n *yaml.Node, path string) {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
		p.wrongType(n, path, "true or false", "write true or false, without quotes")
		return
	}
	*b.to = Value[bool]{strings.EqualFold(n.Value, "true"), true, p.at(n)}
}

// duration is a time span such as 5s, 1m30s or 0s.
type duration struct {
	to       *Value[time.Duration]
	min, max time.Duration
}

func (d duration) read(p *parser, n *yaml.Node, path string) {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!int" {
		p.wrongType(n, path, "a duration", "write the unit: "+n.Value+"s")
		return
	}
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" {
		p.wrongType(n, path, "a duration", "like 5s, 1m30s or 0s")
		return
	}
	v, err := time.ParseDuration(n.Value)
	switch {
	case err != nil:
		p.fault("bad-value", path, p.at(n), "like 5s, 1m30s or 0s", "%s cannot be %s", last(path), quoted(n.Value))
	case v < d.min || v > d.max:
		p.fault("out-of-range", path, p.at(n), "", "%s must be from %s to %s", last(path), d.min, d.max)
	default:
		*d.to = Value[time.Duration]{v, true, p.at(n)}
	}
}

// size is an amount of memory.
type size struct{ to *Value[string] }

var sizePattern = lazyregexp.New(`^([1-9][0-9]{0,9}(?:_[0-9]+)*)([KMGT])$`)

func (s size) read(p *parser, n *yaml.Node, path string) {
	const hint = "like 512M or 2G, or unlimited"
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" {
		p.wrongType(n, path, "a size", hint)
		return
	}
	m, at := sizePattern.FindStringSubmatch(n.Value), p.at(n)
	switch {
	case n.Value == "unlimited":
		*s.to = Value[string]{n.Value, true, at}
		return
	case m == nil:
		p.fault("bad-value", path, at, hint, "%s cannot be %s", last(path), quoted(n.Value))
		return
	}
	digits := strings.ReplaceAll(m[1], "_", "")
	v, err := strconv.ParseFloat(digits, 64)
	if mib := v * map[string]float64{"K": 1.0 / 1024, "M": 1, "G": 1024, "T": 1024 * 1024}[m[2]]; err != nil || mib < 8 || mib > 16<<20 {
		p.fault("out-of-range", path, at, "", "%s must be from 8M to 16T", last(path))
		return
	}
	*s.to = Value[string]{digits + m[2], true, at}
}

// serial is how many hosts are deployed at a time: one batch size or a list.
type serial struct{ to *Value[[]string] }

var percentPattern = lazyregexp.New(`^([1-9][0-9]?|100)%$`)

func (s serial) read(p *parser, n *yaml.Node, path string) {
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	if len(items) == 0 {
		p.fault("missing-value", path, p.at(n), "", "serial is an empty list")
		return
	}
	var batches []string
	for _, item := range items {
		number := item.Tag == "!!int" && numberPattern.MatchString(item.Value)
		switch {
		case p.strangeNumber(item, path):
		case item.Kind != yaml.ScalarNode || !number && item.Tag != "!!str":
			p.wrongType(item, path, `a number or a percentage like "25%"`, "")
		case number && len(item.Value) <= 5 && item.Value[0] != '-' && item.Value != "0", percentPattern.MatchString(item.Value):
			batches = append(batches, strings.ReplaceAll(item.Value, "_", ""))
		default:
			p.fault("out-of-range", path, p.at(item), `like 1, "25%" or [1, "25%", "100%"]`, "serial cannot be %s", quoted(item.Value))
		}
	}
	if len(batches) == len(items) {
		*s.to = Value[[]string]{batches, true, p.at(n)}
	}
}

// names is a list of words.
type names struct {
	to   *[]Value[string]
	like *lazyregexp.Regexp // nil takes anything, or what is listed in of
	hint string             // what like allows, for people
	of   []string
}

func (l names) read(p *parser, n *yaml.Node, path string) {
	if n.Kind != yaml.SequenceNode {
		p.wrongType(n, path, "a list", "one line each, like: - "+cmp.Or(strings.Join(l.of[:min(1, len(l.of))], ""), "name"))
		return
	}
	seen := map[string]bool{}
	for i, item := range n.Content {
		inner := fmt.Sprintf("%s[%d]", path, i)
		v, at := item.Value, p.at(item)
		switch {
		case item.Kind != yaml.ScalarNode || item.Tag != "!!str":
			p.wrongType(item, inner, "a name", "")
		case seen[v]:
			p.fault("duplicate-value", inner, at, "remove it", "%s is listed twice", quoted(v))
		case l.of != nil && !slices.Contains(l.of, v):
			p.fault("bad-value", inner, at, "one of "+strings.Join(l.of, ", "), "%s cannot be %s", last(path), quoted(v))
		case l.like != nil && !l.like.MatchString(v):
			p.fault("bad-value", inner, at, l.hint, "%s cannot be %s", last(path), quoted(v))
		default:
			seen[v] = true
			*l.to = append(*l.to, Value[string]{v, true, at})
		}
	}
}

// list is a list of mappings with the same keys.
type list[T any] struct {
	to *[]T
	of func(*T) object
}

func (l list[T]) read(p *parser, n *yaml.Node, path string) {
	if n.Kind != yaml.SequenceNode {
		p.wrongType(n, path, "a list", "begin each entry with - ")
		return
	}
	for i, item := range n.Content {
		var v T
		inner := fmt.Sprintf("%s[%d]", path, i)
		p.spec.keys[inner] = p.at(item)
		l.of(&v).read(p, item, inner)
		*l.to = append(*l.to, v)
	}
}
