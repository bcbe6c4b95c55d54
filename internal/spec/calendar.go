package spec

import "go.yaml.in/yaml/v4"

// calendar is a calendar expression of systemd.time(7).
type calendar struct{ to *Value[string] }

func (c calendar) read(p *parser, n *yaml.Node, path string) {
	line, at, ok := p.oneLine(n, path, "a calendar expression", 200)
	if !ok {
		return
	}
	*c.to = Value[string]{line, true, at}
}
