package spec

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/kinectl/kinectl/internal/lazyregexp"
)

// cpus is a list of CPUs, by their numbers: "0-3,8".
type cpus struct{ to *Value[string] }

// maxCPU is the last one that systemd 252 takes.
const maxCPU = 8191

var cpusPattern = lazyregexp.New(`^[0-9]{1,4}(-[0-9]{1,4})?(,[0-9]{1,4}(-[0-9]{1,4})?)*$`)

func (c cpus) read(p *parser, n *yaml.Node, path string) {
	const hint = `like "0-3" or "0,2"`
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" && n.Tag != "!!int" {
		p.wrongType(n, path, "a list of CPUs", hint)
		return
	}
	at := p.at(n)
	if !cpusPattern.MatchString(n.Value) {
		p.fault("bad-value", path, at, hint, "%s cannot be %s", last(path), quoted(n.Value))
		return
	}
	for part := range strings.SplitSeq(n.Value, ",") {
		first, second, ok := strings.Cut(part, "-")
		a, _ := strconv.Atoi(first)
		b, _ := strconv.Atoi(second)
		if !ok {
			b = a
		}
		if a > b {
			p.fault("bad-value", path, at, "the smaller number first", "%s cannot be %s", last(path), quoted(n.Value))
			return
		}
		if b > maxCPU {
			p.fault("out-of-range", path, at, hint, "%s must be from 0 to %d", last(path), maxCPU)
			return
		}
	}
	*c.to = Value[string]{n.Value, true, at}
}

// quota is CPU time: a number of CPUs, or a percentage of one.
type quota struct{ to *Value[string] }

var (
	cpuPattern   = lazyregexp.New(`^[0-9]{1,4}(\.[0-9]{1,2})?$`)
	quotaPattern = lazyregexp.New(`^[1-9][0-9]{0,5}%$`)
)

func (q quota) read(p *parser, n *yaml.Node, path string) {
	const hint = `a number of CPUs like 1.5, or a percentage of one like "150%"`
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" && n.Tag != "!!int" && n.Tag != "!!float" {
		p.wrongType(n, path, "CPU time", hint)
		return
	}
	at, percent := p.at(n), n.Value
	if cpuPattern.MatchString(n.Value) && n.Tag != "!!str" {
		v, _ := strconv.ParseFloat(n.Value, 64)
		percent = strconv.Itoa(int(v*100+0.5)) + "%"
	}
	if !quotaPattern.MatchString(percent) {
		p.fault("bad-value", path, at, hint, "%s cannot be %s", last(path), quoted(n.Value))
		return
	}
	*q.to = Value[string]{percent, true, at}
}

// mode is permission bits, in quotes: YAML has two ways to read 0644.
type mode struct{ to *Value[int] }

var modePattern = lazyregexp.New(`^0[0-7]{3}$`)

func (m mode) read(p *parser, n *yaml.Node, path string) {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" && n.Tag != "!!int" || !modePattern.MatchString(n.Value) {
		p.wrongType(n, path, "permissions in octal", `like "0644"`)
		return
	}
	v, err := strconv.ParseInt(n.Value, 8, 32)
	if err != nil || v&0o002 != 0 {
		p.fault("out-of-range", path, p.at(n), `like "0644"`, "a file that everybody may write to cannot be trusted")
		return
	}
	*m.to = Value[int]{int(v), true, p.at(n)}
}

// checksums is one SHA-256, or a map of them by architecture.
type checksums struct{ to *[]Checksum }

var sumPattern = lazyregexp.New(`^[0-9a-f]{64}$`)

func (c checksums) read(p *parser, n *yaml.Node, path string) {
	one := func(arch string, n *yaml.Node, path string) {
		at := p.at(n)
		if n.Kind != yaml.ScalarNode || !sumPattern.MatchString(n.Value) {
			p.fault("bad-value", path, at, "what sha256sum prints: 64 digits", "this is no SHA-256")
			return
		}
		*c.to = append(*c.to, Checksum{arch, Value[string]{n.Value, true, at}})
	}
	if n.Kind != yaml.MappingNode {
		one("", n, path)
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		inner := path + "." + k.Value
		switch {
		case k.Value != "amd64" && k.Value != "arm64":
			p.fault("unknown-key", inner, p.at(k), "amd64 or arm64", "there is no architecture %s", quoted(k.Value))
		case seen[k.Value]:
			p.fault("duplicate-key", inner, p.at(k), "keep one of the two", "%s is given twice", k.Value)
		default:
			seen[k.Value] = true
			one(k.Value, v, inner)
		}
	}
}
