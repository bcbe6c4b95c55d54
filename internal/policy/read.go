package policy

import (
	"path"
	"slices"
	"strings"

	"github.com/kinectl/kinectl/internal/diag"
	"github.com/kinectl/kinectl/internal/infrafile"
	"github.com/kinectl/kinectl/internal/lazyregexp"
	"github.com/kinectl/kinectl/internal/spec"
)

// Read returns the policy of a policy.yml, and all that is wrong with the
// file, sorted by place; name is the file's in findings. Use the policy only
// when no finding is an error. What [Default] opens is open too, unless the
// file says defaults: false.
func Read(name string, src []byte) (Policy, diag.Findings) {
	p, findings := read(name, src)
	if !slices.ContainsFunc(p.grants, func(g grant) bool { return g.group == closed }) {
		p.grants = append(Default().grants, p.grants...)
	}
	findings.Sort()
	return p, findings
}

// closed is the group of the mark that defaults: false leaves. No inventory
// has a group without a name.
const closed = ""

var groupPattern = lazyregexp.New(`^[A-Za-z_][A-Za-z0-9_]*$`)

func read(name string, src []byte) (Policy, diag.Findings) {
	d, root, ok := infrafile.Load(name, src)
	var p Policy
	if !ok {
		return p, d.Findings
	}
	for _, top := range d.Map(root, "defaults", "groups") {
		if top.Name == "defaults" {
			if open, ok := d.Bool(top.Value); ok && !open {
				p.grants = append(p.grants, grant{group: closed})
			}
			continue
		}
		for _, e := range d.Map(top.Value) {
			if !groupPattern.MatchString(e.Name) {
				d.Fault("bad-value", e.Key, "a group of the inventory, or all", "a group cannot be called %.60q", e.Name)
				continue
			}
			p.grants = append(p.grants, readGrant(d, e))
		}
	}
	return p, d.Findings
}

// readGrant reads what is open to one group.
func readGrant(d *infrafile.Document, e infrafile.Entry) grant {
	g := grant{group: e.Name}
	for _, k := range d.Map(e.Value, "root", "files", "capabilities", "allow") {
		switch k.Name {
		case "root":
			g.root, _ = d.Bool(k.Value)
		case "files":
			g.files = readPaths(d, k.Value)
		case "capabilities":
			known := spec.Capabilities()
			for _, n := range d.List(k.Value) {
				name, ok := d.Text(n)
				if ok && !slices.ContainsFunc(known, func(c spec.Capability) bool { return c.Name == name }) {
					d.Fault("unknown-capability", n, "a name of capabilities(7), like CAP_NET_ADMIN", "there is no capability %.60q", name)
				}
				g.capabilities = append(g.capabilities, name)
			}
		case "allow":
			for _, n := range d.List(k.Value) {
				if permit, ok := readPermit(d, n); ok {
					g.allow = append(g.allow, permit)
				}
			}
		}
	}
	return g
}

// readPaths reads a list of folders. One that is all of the disk opens more
// than its author means.
func readPaths(d *infrafile.Document, n infrafile.Node) []string {
	all := []string{} // none is not any
	for _, item := range d.List(n) {
		text, ok := d.Text(item)
		switch {
		case !ok:
		case !strings.HasPrefix(text, "/") || path.Clean(text) != strings.TrimSuffix(text, "/"):
			d.Fault("bad-value", item, "an absolute path without .., like /srv/media; NAME stands for the service", "a place cannot be %.60q", text)
		default:
			all = append(all, text)
		}
	}
	return all
}

// readPermit reads one entry of allow: a name, or a name with the values that
// are open.
func readPermit(d *infrafile.Document, n infrafile.Node) (permit, bool) {
	if !n.IsMap() {
		name, ok := d.Text(n)
		return permit{name: name}, ok && isLoosening(d, n, name)
	}
	entries := d.Map(n)
	if len(entries) != 1 {
		d.Fault("wrong-type", n, "like - write: [/srv/media]", "an entry of allow has one name")
		return permit{}, false
	}
	e := entries[0]
	out := permit{name: e.Name, values: []string{}}
	if !isLoosening(d, e.Key, e.Name) {
		return out, false
	}
	switch i := slices.IndexFunc(spec.Permissions(), func(q spec.Permission) bool { return q.Name == e.Name }); {
	case spec.Permissions()[i].Takes == "":
		d.Fault("wrong-type", e.Value, "write only its name", "%s takes no values", e.Name)
		return out, false
	case strings.HasPrefix(spec.Permissions()[i].Takes, "[/"):
		out.values = readPaths(d, e.Value)
	default:
		for _, item := range d.List(e.Value) {
			if text, ok := d.Text(item); ok {
				out.values = append(out.values, text)
			}
		}
	}
	return out, true
}

func isLoosening(d *infrafile.Document, at infrafile.Node, name string) bool {
	var known []string
	for _, q := range spec.Permissions() {
		known = append(known, q.Name)
	}
	if !slices.Contains(known, name) {
		d.Fault("bad-value", at, "known are "+strings.Join(known, ", "), "there is no loosening %.60q", name)
		return false
	}
	return true
}
