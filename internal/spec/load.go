package spec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"
)

// MaxSize is the largest file that is read, in bytes.
const MaxSize = 1 << 20

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
	p.spec.findLeaks()
	if items(src) > maxItems {
		p.fault("too-complex", "", Pos{}, "a spec has a few dozen lines: is this the right file?", "the file has more than %d items", maxItems)
		return nil
	}
	loader, err := yaml.NewLoader(bytes.NewReader(src), yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthValue(maxDepth))))
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
	if bytes.Contains(src, []byte("lint:")) {
		p.spec.inText, p.spec.remarks = make([]bool, len(p.spec.lines)+1), map[int]bool{}
	}
	return docs[0].Content[0]
}

// Bounds of what is built in memory from a file of [MaxSize].
const (
	maxItems = 20_000
	maxDepth = 20
)

// items counts what could begin a value, a little too high: commas in text
// count too.
func items(src []byte) int {
	n := bytes.Count(src, []byte(",")) + bytes.Count(src, []byte("[")) + bytes.Count(src, []byte("{"))
	for i, c := range src[:max(len(src)-1, 0)] {
		if (c == ':' || c == '-' || c == '?') && (src[i+1] == ' ' || src[i+1] == '\n' || src[i+1] == '\r') {
			n++
		}
	}
	return n
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
	if strings.Contains(message, "exceeded max depth") {
		p.fault("too-complex", "", at, "", "more than %d levels of nesting", maxDepth)
		return
	}
	if (strings.Contains(message, "cannot start any token") || strings.Contains(message, "tab character")) && at.Line <= len(p.spec.lines) && strings.Contains(p.spec.lines[at.Line-1], "\t") {
		hint = "indent with spaces: YAML takes no tabs there"
	}
	if e.ContextMsg != "" && e.ContextMark.Line > 0 {
		message = fmt.Sprintf("%s %s that starts at line %d", message, e.ContextMsg, e.ContextMark.Line)
	}
	p.fault("syntax", "", at, hint, "%s", message)
}
