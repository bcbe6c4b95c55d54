// Package infrafile reads the YAML files at the root of an infra repository,
// such as resources.yml and policy.yml, as strictly as a spec is read: unknown
// keys, wrong types, anchors and tags are findings with their place. Start at
// [Load]. What the keys mean is decided by the packages named after the files.
//
// The package is pure: it takes bytes and returns values.
package infrafile

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

// Document is one file and what is wrong with it. It is not safe for
// concurrent use.
type Document struct {
	Findings diag.Findings // sorted by Load; later ones are the caller's to sort
	name     string
	lines    []string
}

// Node is a value of the file and its path, like "groups.cdn.owner_root".
type Node struct {
	Path string
	yaml *yaml.Node
}

// Entry is one key of a mapping and its value.
type Entry struct {
	Key   Node
	Name  string
	Value Node
}

// Load reads the only document of a file; name is that of the file in
// findings. ok is false when the file has no content, or has a fault that
// keeps it from being read; an empty file is no fault.
func Load(name string, src []byte) (d *Document, root Node, ok bool) {
	d = &Document{name: name}
	if len(src) > MaxSize {
		d.Findings = append(d.Findings, diag.Finding{Rule: "too-large", Severity: diag.Error, File: name, Message: fmt.Sprintf("the file has %d bytes, more than %d", len(src), MaxSize)})
		return d, Node{}, false
	}
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	d.lines = strings.Split(strings.ReplaceAll(string(src), "\r\n", "\n"), "\n")
	loader, err := yaml.NewLoader(bytes.NewReader(src))
	if err != nil {
		d.syntax(err)
		return d, Node{}, false
	}
	var docs [2]yaml.Node
	n := 0
	for ; n < len(docs); n++ {
		if err := loader.Load(&docs[n]); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			d.syntax(err)
			return d, Node{}, false
		}
	}
	if n == 2 {
		d.fault("several-documents", "", docs[1].Line, 1, 3, "keep one document in the file", "a second document starts here")
	}
	if n == 0 || len(docs[0].Content) == 0 || docs[0].Content[0].Tag == "!!null" {
		return d, Node{}, false
	}
	content := docs[0].Content[0]
	d.plain(content, "")
	return d, Node{"", content}, !d.Findings.HasErrors()
}

// syntax reports what the YAML library stumbled over.
func (d *Document) syntax(err error) {
	line, column, message := 0, 0, err.Error()
	if e := (*yaml.LoadError)(nil); errors.As(err, &e) {
		line, column, message = max(e.Mark.Line, 1), max(e.Mark.Column, 1), e.Message
	}
	d.fault("syntax", "", line, column, 1, "", message)
}

// plain refuses what makes a file hard to read and costly to load.
func (d *Document) plain(n *yaml.Node, path string) {
	switch at := (Node{path, n}); {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		d.Fault("no-aliases", at, "write the value out", "anchors and aliases are not allowed")
	case n.Style&yaml.TaggedStyle != 0:
		d.Fault("no-tags", at, "remove it: the key says what type its value has", "tags are not allowed")
	}
	if n.Kind == yaml.AliasNode {
		return
	}
	for _, c := range n.Content {
		d.plain(c, path)
	}
}

// Fault adds an error at a node.
func (d *Document) Fault(rule string, at Node, hint, format string, args ...any) {
	width := 1
	if at.yaml.Kind == yaml.ScalarNode {
		width = utf8.RuneCountInString(at.yaml.Value)
		if at.yaml.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
			width += 2
		}
	}
	d.fault(rule, at.Path, at.yaml.Line, at.yaml.Column, width, hint, fmt.Sprintf(format, args...))
}

func (d *Document) fault(rule, path string, line, column, width int, hint, message string) {
	f := diag.Finding{Rule: rule, Severity: diag.Error, File: d.name, Path: path, Message: message, Hint: hint}
	if line > 0 && len(d.lines) > 0 {
		f.Line = min(line, len(d.lines))
		f.Excerpt = d.lines[f.Line-1]
		f.Column = max(1, min(column, utf8.RuneCountInString(f.Excerpt)+1))
		f.Width = width
	}
	d.Findings = append(d.Findings, f)
}

// Map returns the entries of a mapping, in the order of the file and each key
// once. With known names, other keys are faults and left out.
func (d *Document) Map(n Node, known ...string) []Entry {
	if n.yaml.Kind != yaml.MappingNode {
		d.Fault("wrong-type", n, "", "%s must be keys with values", n.last())
		return nil
	}
	var all []Entry
	for i := 0; i+1 < len(n.yaml.Content); i += 2 {
		k, v := n.yaml.Content[i], n.yaml.Content[i+1]
		path := strings.TrimPrefix(n.Path+"."+k.Value, ".")
		e := Entry{Node{path, k}, k.Value, Node{path, v}}
		switch {
		case k.Kind != yaml.ScalarNode || known != nil && !slices.Contains(known, k.Value):
			d.Fault("unknown-key", e.Key, "known here: "+strings.Join(known, ", "), "there is no key %.60q here", k.Value)
		case slices.ContainsFunc(all, func(o Entry) bool { return o.Name == e.Name }):
			d.Fault("duplicate-key", e.Key, "keep one of the two", "%s is given twice", k.Value)
		case v.Tag == "!!null":
			d.Fault("wrong-type", e.Key, "give it a value or remove the key", "%s has no value", k.Value)
		default:
			all = append(all, e)
		}
	}
	return all
}

// Text returns a text of one line that is not empty.
func (d *Document) Text(n Node) (string, bool) {
	if n.yaml.Kind != yaml.ScalarNode || n.yaml.Tag != "!!str" || strings.TrimSpace(n.yaml.Value) == "" || strings.ContainsAny(n.yaml.Value, "\n\r\t") {
		d.Fault("wrong-type", n, "", "%s must be one line of text", n.last())
		return "", false
	}
	return n.yaml.Value, true
}

// Bool returns true or false, as the file says.
func (d *Document) Bool(n Node) (value, ok bool) {
	if n.yaml.Kind != yaml.ScalarNode || n.yaml.Tag != "!!bool" {
		d.Fault("wrong-type", n, "write true or false, without quotes", "%s must be true or false", n.last())
		return false, false
	}
	return strings.EqualFold(n.yaml.Value, "true"), true
}

// List returns the items of a list.
func (d *Document) List(n Node) []Node {
	if n.yaml.Kind != yaml.SequenceNode {
		d.Fault("wrong-type", n, "one line each, beginning with - ", "%s must be a list", n.last())
		return nil
	}
	var all []Node
	for i, item := range n.yaml.Content {
		all = append(all, Node{fmt.Sprintf("%s[%d]", n.Path, i), item})
	}
	return all
}

// last is the name of a key without the path to it.
func (n Node) last() string {
	if n.Path == "" {
		return "the file"
	}
	return n.Path[strings.LastIndexByte(n.Path, '.')+1:]
}

// IsMap reports whether the node is a mapping.
func (n Node) IsMap() bool { return n.yaml.Kind == yaml.MappingNode }
