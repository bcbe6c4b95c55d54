package spec

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/kinectl/kinectl/internal/lazyregexp"
)

// requires is required_packages: a list, or a map of lists by distribution.
type requires struct{ to *Requires }

var (
	// Debian Policy 5.6.1, and the capitals that rpm has.
	packagePattern      = lazyregexp.New(`^([A-Za-z0-9][A-Za-z0-9+._-]+)(?: *(>=|<=|=|<|>) *([0-9][A-Za-z0-9.+~:-]*))?$`)
	distributionPattern = lazyregexp.New(`^(debian|ubuntu|rhel|fedora|alpine|arch)([0-9]+(?:\.[0-9]+)?)?$`)
)

func (r requires) read(p *parser, n *yaml.Node, path string) {
	switch n.Kind {
	case yaml.SequenceNode:
		r.to.All = p.packages(n, path)
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			k, v := n.Content[i], n.Content[i+1]
			at, inner := p.at(k), path+"."+k.Value
			p.spec.keys[inner] = at
			for _, other := range r.to.ByDistribution {
				if other.Name.V == k.Value {
					p.fault("duplicate-key", inner, at, "keep one of the two", "%s is given twice, first in line %d", k.Value, other.Name.At.Line)
				}
			}
			if !distributionPattern.MatchString(k.Value) {
				p.fault("bad-value", inner, at, "like debian12, ubuntu22.04 or rhel9", "there is no distribution %s", quoted(k.Value))
				continue
			}
			if v.Kind != yaml.SequenceNode {
				p.wrongType(v, inner, "a list", "[] for a distribution that needs nothing")
				continue
			}
			r.to.ByDistribution = append(r.to.ByDistribution, Distribution{Value[string]{k.Value, true, at}, p.packages(v, inner)})
		}
	default:
		p.wrongType(n, path, "a list, or a map of lists by distribution", "one line each, like: - ca-certificates")
	}
}

func (p *parser) packages(n *yaml.Node, path string) []Value[Package] {
	var all []Value[Package]
	seen := map[string]bool{}
	for i, item := range n.Content {
		inner := fmt.Sprintf("%s[%d]", path, i)
		line, at, ok := p.oneLine(item, inner, "the name of a package", 200)
		if !ok {
			continue
		}
		m := packagePattern.FindStringSubmatch(line)
		switch {
		case m == nil:
			p.fault("bad-value", inner, at, `like ca-certificates or "libvips42 >= 8.14"`, "a required package cannot be %s", quoted(line))
		case seen[strings.ToLower(m[1])]:
			p.fault("duplicate-value", inner, at, "remove it", "%s is listed twice", quoted(m[1]))
		default:
			seen[strings.ToLower(m[1])] = true
			all = append(all, Value[Package]{Package{m[1], m[2], m[3]}, true, at})
		}
	}
	return all
}
