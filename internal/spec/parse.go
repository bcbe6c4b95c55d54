package spec

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/kinectl/kinectl/internal/diag"
)

// Parse reads the spec in src; file is its name in findings. It finds every
// mistake that keeps the spec from being used, sorted by place. The Spec is
// never nil and holds what could be read; use it only when the findings have
// no errors.
func Parse(file string, src []byte) (*Spec, diag.Findings) {
	s := &Spec{
		File: file, Source: src, keys: map[string]Pos{}, misread: map[string]bool{},
		widths: map[int]int{}, hidden: map[int][]Pos{}, shown: map[int]string{},
	}
	p := &parser{spec: s}
	if root := p.load(src); root != nil {
		p.plain(root, "")
		top := schema(s)
		p.root = top
		top.read(p, root, "")
		p.secrets()
		p.validate()
	}
	p.findings.Sort()
	for i, f := range p.findings {
		if f.Line > 0 {
			// Now that all secrets are known.
			p.findings[i].Excerpt, p.findings[i].Message = s.excerpt(f.Line), s.discreet(f.Line, f.Message)
		}
	}
	return s, p.findings
}

// secrets finds the secrets in what could be read.
func (p *parser) secrets() {
	s := p.spec
	s.variableSecrets(slices.Concat(s.Environment, p.refused))
	for _, c := range s.commands() {
		s.commandSecrets(c.line, c.path)
	}
}

// parser walks one file and collects what is wrong with it.
type parser struct {
	spec     *Spec
	root     object // the whole schema, to tell where a misplaced key belongs
	findings diag.Findings
	refused  []Variable // those whose names no variable can have
}

// full reports whether no more findings are kept: a file of a megabyte may have
// half a million.
func (p *parser) full() bool { return len(p.findings) >= MaxFindings }

// fault adds an error.
func (p *parser) fault(rule, path string, at Pos, hint, format string, args ...any) {
	switch {
	case strings.HasPrefix(path, "service.environments"), strings.HasPrefix(path, "service.deploy.probe"):
		p.spec.misread["probe-port"] = true
	case rule == "unknown-key" && (strings.HasSuffix(hint, "mean limits?") || strings.HasSuffix(hint, "mean mem?")):
		p.spec.misread["no-memory-limit"] = true
	}
	if p.full() {
		p.spec.dropped++
		return
	}
	p.findings = append(p.findings, p.spec.finding(rule, diag.Error, path, at, hint, fmt.Sprintf(format, args...)))
}

// plain refuses the parts of YAML that make a file hard to read and costly to
// load: anchors, aliases, merge keys and tags.
func (p *parser) plain(n *yaml.Node, path string) {
	switch {
	case n.Kind == yaml.AliasNode:
		p.fault("no-aliases", path, p.at(n), "write the value out", "aliases are not allowed")
		return
	case n.Anchor != "":
		p.fault("no-aliases", path, p.at(n), "remove it", "anchors are not allowed")
	case n.Style&yaml.TaggedStyle != 0:
		p.fault("no-tags", path, p.at(n), "remove it: the key says what type its value has", "tags are not allowed")
	}
	p.text(n)
	for _, c := range n.Content {
		p.plain(c, path)
	}
}

// text notes the lines of a scalar that goes over several.
func (p *parser) text(n *yaml.Node) {
	s := p.spec
	if s.inText == nil || n.Kind != yaml.ScalarNode || n.Line < 1 || n.Line > len(s.lines) {
		return
	}
	switch {
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		s.markText(n.Line+1, s.blockEnd(n.Line))
	case n.Style&yaml.SingleQuotedStyle != 0:
		s.markText(n.Line+1, s.quoteEnd(n.Line, n.Column, '\''))
	case n.Style&yaml.DoubleQuotedStyle != 0:
		s.markText(n.Line+1, s.quoteEnd(n.Line, n.Column, '"'))
	}
}

// at is the place of a node: all of a scalar on one line, else its start.
func (p *parser) at(n *yaml.Node) Pos {
	at := Pos{n.Line, n.Column, 1}
	if n.Kind != yaml.ScalarNode || n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 || n.Line < 1 || n.Line > len(p.spec.lines) {
		return at
	}
	width := utf8.RuneCountInString(n.Value)
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
		width += 2
	}
	rest := p.spec.width(n.Line) - n.Column + 1
	at.Width = max(1, min(width, rest))
	return at
}

// object is a mapping with known keys.
type object []key

func (o object) read(p *parser, n *yaml.Node, path string) {
	if n.Kind != yaml.MappingNode {
		p.wrongType(n, path, "keys with values", "")
		return
	}
	seen := map[string]Pos{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		at, name := p.at(k), k.Value
		if k.Kind != yaml.ScalarNode {
			p.fault("unknown-key", path, at, "", "a key must be a name")
			continue
		}
		inner := strings.TrimPrefix(path+"."+name, ".")
		if first, ok := seen[name]; ok {
			p.fault("duplicate-key", inner, at, "keep one of the two", "%s is given twice, first in line %d", name, first.Line)
			continue
		}
		seen[name] = at
		p.spec.keys[inner] = at
		known := slices.IndexFunc(o, func(k key) bool { return k.name == name })
		switch {
		case known < 0 && p.full():
			p.spec.dropped++ // a guess costs time
		case known < 0:
			p.fault("unknown-key", inner, at, p.meant(o, name, path), "there is no key %s here", quoted(name))
		case v.Kind == yaml.ScalarNode && v.Tag == "!!null":
			p.fault("wrong-type", inner, at, "give it a value or remove the key", "%s has no value", name)
		default:
			o[known].value.read(p, v, inner)
		}
	}
	for _, k := range o {
		if _, ok := seen[k.name]; k.required && !ok {
			at, ok := p.spec.keys[path]
			if !ok {
				at = Pos{n.Line, n.Column, 1}
			}
			p.fault("missing-key", strings.TrimPrefix(path+"."+k.name, "."), at, "add it: "+k.doc, "the key %s is missing", k.name)
		}
	}
}
