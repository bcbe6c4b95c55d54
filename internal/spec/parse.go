package spec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/kinectl/kinectl/internal/diag"
)

// MaxSize is the largest file that is read, in bytes.
const MaxSize = 1 << 20

// Parse reads the spec in src; file is its name in findings. It finds every
// mistake that keeps the spec from being used, sorted by place. The Spec is
// never nil and holds what could be read; use it only when the findings have
// no errors.
func Parse(file string, src []byte) (*Spec, diag.Findings) {
	s := &Spec{File: file, Source: src, keys: map[string]Pos{}}
	p := &parser{spec: s}
	if root := p.load(src); root != nil {
		p.plain(root, "")
		top := schema(s)
		p.root = top
		top.read(p, root, "")
		p.validate()
	}
	p.findings.Sort()
	return s, p.findings
}

// parser walks one file and collects what is wrong with it.
type parser struct {
	spec     *Spec
	root     object // the whole schema, to tell where a misplaced key belongs
	findings diag.Findings
}

// fault adds an error.
func (p *parser) fault(rule, path string, at Pos, hint, format string, args ...any) {
	p.findings = append(p.findings, p.spec.finding(rule, diag.Error, path, at, hint, fmt.Sprintf(format, args...)))
}

// finding makes a finding with the excerpt of its line. A place past the end,
// such as that of a value that is not there, is drawn back into the file.
func (s *Spec) finding(rule string, severity diag.Severity, path string, at Pos, hint, message string) diag.Finding {
	f := diag.Finding{Rule: rule, Severity: severity, File: s.File, Path: path, Message: message, Hint: hint}
	if at.Line < 1 || len(s.lines) == 0 {
		return f
	}
	f.Line = min(at.Line, len(s.lines))
	f.Excerpt = s.lines[f.Line-1]
	f.Column = max(1, min(at.Column, utf8.RuneCountInString(f.Excerpt)+1))
	f.Width = at.Width
	return f
}

// load turns the bytes into the node of the only document's content, or
// reports why that is not possible and returns nil.
func (p *parser) load(src []byte) *yaml.Node {
	if len(src) > MaxSize {
		p.fault("too-large", "", Pos{}, "a spec has a few dozen lines: is this the right file?", "the file has %d bytes, more than %d", len(src), MaxSize)
		return nil
	}
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	p.spec.lines = strings.Split(strings.ReplaceAll(string(src), "\r\n", "\n"), "\n")
	if !p.characters() {
		return nil
	}
	loader, err := yaml.NewLoader(bytes.NewReader(src))
	if err != nil {
		p.syntax(err)
		return nil
	}
	var docs []*yaml.Node
	for len(docs) < 2 {
		var doc yaml.Node
		if err := loader.Load(&doc); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			p.syntax(err)
			return nil
		}
		docs = append(docs, &doc)
	}
	if len(docs) == 2 {
		p.fault("several-documents", "", Pos{docs[1].Line, 1, 3}, "keep one spec in a file; give several with -f", "a second document starts here")
	}
	if len(docs) == 0 || len(docs[0].Content) == 0 {
		p.fault("missing-key", "service", Pos{1, 1, 1}, "run kinectl init to get a spec that works", "the file is empty")
		return nil
	}
	return docs[0].Content[0]
}

// characters refuses what YAML forbids, and what it takes for a line break
// while editors do not: after one of those every line number would be wrong.
func (p *parser) characters() bool {
	n := len(p.findings)
	for i, line := range p.spec.lines {
		column := 0
		for j, r := range line {
			column++
			switch {
			case r == utf8.RuneError && !strings.HasPrefix(line[j:], "\uFFFD"):
				p.fault("bad-character", "", Pos{i + 1, column, 1}, "save the file as UTF-8", "this byte is not UTF-8")
			case r != '\t' && r < ' ', r >= 0x7f && r < 0xa0, r == 0x2028, r == 0x2029, r == 0xfeff, r&0xfffe == 0xfffe:
				p.fault("bad-character", "", Pos{i + 1, column, 1}, "remove the character", "the character U+%04X may not stand in a spec", r)
			default:
				continue
			}
			break // one a line is enough
		}
	}
	return len(p.findings) == n
}

// syntax reports what the YAML library stumbled over.
func (p *parser) syntax(err error) {
	var e *yaml.LoadError
	if !errors.As(err, &e) {
		p.fault("syntax", "", Pos{}, "", "%v", err)
		return
	}
	at, hint, message := Pos{max(e.Mark.Line, 1), max(e.Mark.Column, 1), 1}, "", e.Message
	if (strings.Contains(message, "cannot start any token") || strings.Contains(message, "tab character")) && at.Line <= len(p.spec.lines) && strings.Contains(p.spec.lines[at.Line-1], "\t") {
		hint = "indent with spaces: YAML takes no tabs there"
	}
	if e.ContextMsg != "" && e.ContextMark.Line > 0 {
		message = fmt.Sprintf("%s %s that starts at line %d", message, e.ContextMsg, e.ContextMark.Line)
	}
	p.fault("syntax", "", at, hint, "%s", message)
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
	for _, c := range n.Content {
		p.plain(c, path)
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
	rest := utf8.RuneCountInString(p.spec.lines[n.Line-1]) - n.Column + 1
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
