// Package policy says what a service may ask of a host: policy.yml at the root
// of the infra repository opens, group by group, what would otherwise let a
// spec buy root. Start at [Read], or [Default] where there is no such file, and
// then [Check].
//
// A service is granted what the default, the group all and its own group open,
// together; the groups are those of the inventory, by the name in
// service.group, and not the groups above them. The package is pure.
package policy

import (
	_ "embed"
	"path"
	"slices"
	"strings"
)

// File is the name of the file in an infra repository.
const File = "policy.yml"

//go:embed default.yml
var defaultSource []byte

// Policy is what is open to whom. The zero value opens nothing.
type Policy struct {
	grants []grant
}

// grant is what is open to the services of one group, or to all.
type grant struct {
	group        string   // "all", or a group of the inventory
	root         bool     // security.owner and security.group may be root
	files        []string // folders and files that files may fill; NAME is the service's
	capabilities []string
	allow        []permit
}

// permit is one loosening of the sandbox that is open.
type permit struct {
	name   string
	values []string // nil for any value, and for a loosening without values
}

// Default is what holds where there is no policy.yml, and below every one that
// does not say defaults: false. docs/policy.md shows it.
func Default() Policy {
	p, _ := read("default", defaultSource) // a test holds it to be without findings
	return p
}

// of returns the grants that a service of the group has.
func (p Policy) of(group string) []grant {
	var all []grant
	for _, g := range p.grants {
		if g.group == "all" || g.group == group {
			all = append(all, g)
		}
	}
	return all
}

// within reports whether a path is one of the given ones or below one. In
// those NAME stands for the service's name.
func within(file string, open []string, name string) bool {
	file = path.Clean(file)
	return slices.ContainsFunc(open, func(o string) bool {
		o = strings.ReplaceAll(path.Clean(o), "NAME", name)
		return file == o || strings.HasPrefix(file, strings.TrimSuffix(o, "/")+"/")
	})
}

// permits reports whether a value of a loosening is open; value is "" for a
// loosening without values.
func (g grant) permits(loosening, value, name string) bool {
	return slices.ContainsFunc(g.allow, func(p permit) bool {
		switch {
		case p.name != loosening:
			return false
		case p.values == nil:
			return true
		case strings.HasPrefix(value, "/"):
			return within(value, p.values, name)
		}
		return slices.Contains(p.values, value)
	})
}
