package spec

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/kinectl/kinectl/internal/lazyregexp"
)

// Permission is a loosening of the sandbox that a spec may ask for.
type Permission struct {
	Name  string
	Doc   string // what the service may do with it, in one line
	Takes string // what its values are; "" for one that takes none
	// Cost is what it alone adds to the exposure that systemd-analyze security
	// (systemd 252) gives to a service, 0 to 100 in tenths of its score.
	Cost int
	like *lazyregexp.Regexp
}

// Permissions are all that security.allow can name.
func Permissions() []Permission {
	return []Permission{
		{Name: "devices", Doc: "use these devices; a disk among them is as good as root", Cost: 1, Takes: "[/dev/dri]", like: lazyregexp.New(`^/dev/[A-Za-z0-9._/-]+$`)},
		{Name: "groups", Doc: "belong to these groups of the host; some, like docker and disk, are as good as root", Takes: "[video]", like: userPattern},
		{Name: "home-read", Doc: "read the homes of users", Cost: 1},
		{Name: "host-processes", Doc: "see the processes of others in /proc", Cost: 1},
		{Name: "host-users", Doc: "see the owners of files that are not its own or root's", Cost: 1},
		{Name: "jit", Doc: "make code at run time, as JavaScript engines do"},
		{Name: "namespaces", Doc: "make namespaces, as programs do that start sandboxes", Cost: 10},
		{Name: "netlink", Doc: "ask the kernel for interfaces and routes"},
		{Name: "network-raw", Doc: "send and see raw packets, as ping does (CAP_NET_RAW)", Cost: 5},
		{Name: "realtime", Doc: "schedule itself before everybody else", Cost: 2},
		{Name: "system-calls", Doc: "make these system calls too", Cost: 1, Takes: "[perf_event_open]", like: callPattern},
		{Name: "write", Doc: "write to these folders, where their owner lets it; root's own are as good as root", Takes: "[/srv/films]", like: absolutePattern},
	}
}

// callPattern is a system call by its name, or one of systemd's groups of them
// (systemd-analyze(1), syscall-filter), of which there are few enough to know.
var callPattern = lazyregexp.New(`^([a-z][a-z0-9_]*|@(aio|basic-io|chown|clock|cpu-emulation|debug|default|file-system|io-event|ipc|keyring|known|memlock|` +
	`module|mount|network-io|obsolete|pkey|privileged|process|raw-io|reboot|resources|setuid|signal|swap|sync|system-service|timer))$`)

// allow is security.allow: names, and names with their values.
type allow struct{ to *[]Value[Loosening] }

func (a allow) read(p *parser, n *yaml.Node, path string) {
	if n.Kind != yaml.SequenceNode {
		p.wrongType(n, path, "a list", "one line each, like: - netlink")
		return
	}
	seen := map[string]bool{}
	for i, item := range n.Content {
		inner := fmt.Sprintf("%s[%d]", path, i)
		name, values := item, (*yaml.Node)(nil)
		if item.Kind == yaml.MappingNode && len(item.Content) == 2 {
			name, values = item.Content[0], item.Content[1]
		}
		if name.Kind != yaml.ScalarNode || name.Tag != "!!str" {
			p.wrongType(item, inner, "a name, or one name with its list", "like: - netlink, or: - write: [/srv/films]")
			continue
		}
		if seen[name.Value] {
			hint := "remove it"
			if values != nil {
				hint = "put the values of both into one list"
			}
			p.fault("duplicate-value", inner, p.at(name), hint, "%s is listed twice", quoted(name.Value))
			continue
		}
		seen[name.Value] = true
		a.one(p, name, values, inner)
	}
}

// one reads a loosening; values is nil when it has none.
func (a allow) one(p *parser, name, values *yaml.Node, path string) {
	all, at := Permissions(), p.at(name)
	known := slices.IndexFunc(all, func(q Permission) bool { return q.Name == name.Value })
	switch {
	case known < 0:
		var known []string
		for _, q := range all {
			known = append(known, q.Name)
		}
		hint := "known are " + strings.Join(known, ", ")
		if best := nearest(name.Value, known); best != "" {
			hint = "did you mean " + best + "?"
		}
		p.fault("bad-value", path, at, hint, "there is no loosening %s", quoted(name.Value))
		return
	case all[known].Takes == "" && values != nil:
		p.fault("wrong-type", path, at, "write only its name", "%s takes no values", name.Value)
		return
	case all[known].Takes != "" && values == nil:
		p.fault("wrong-type", path, at, "like "+name.Value+": "+all[known].Takes, "%s needs a list", name.Value)
		return
	}
	out := Loosening{Name: name.Value}
	if values != nil {
		var list []Value[string]
		names{to: &list, like: all[known].like, hint: "like " + all[known].Takes}.read(p, values, path+"."+name.Value)
		for _, v := range list {
			if slices.Contains(strings.Split(v.V, "/"), "..") {
				p.fault("bad-path", path+"."+name.Value, v.At, "write the path without ..", "%s has .. in it", quoted(v.V))
			}
			out.Values = append(out.Values, v.V)
		}
	}
	*a.to = append(*a.to, Value[Loosening]{out, true, at})
}
