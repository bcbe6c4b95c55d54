package plan

import (
	"slices"
	"strings"

	"github.com/kinectl/kinectl/internal/spec"
)

// PlainPassword is a regular expression, for Go and for Python alike, that finds
// a password in the address of a resource: in a URL (RFC 3986, section 3.2.1), as
// password=… in a query or in the keywords of libpq, or as Go's MySQL driver has
// it, user:password@tcp(host).
const PlainPassword = `(?i)://[^\s/?#@:]*:[^\s/?#@]+@|\bpass(word|wd)? *= *[^\s&]|:[^\s@]+@(tcp[46]?|unix)\(`

// variables returns the service's environment, those of the resources first,
// the Ansible variables that it cannot do without, and those that must be
// encrypted.
func variables(s *spec.Spec, kinds []spec.Resource) (all []Variable, needs, secrets []string) {
	for _, r := range resources(s, kinds) {
		all = append(all, Variable{Name: r.Variable, Parts: []Part{{Expression: r.Needs}}})
		needs = append(needs, r.Needs)
	}
	for _, v := range s.Environment {
		out := Variable{Name: v.Name}
		for _, part := range v.Parts {
			out.Parts = append(out.Parts, Part{Literal: part.Literal, Expression: part.Expression})
			needs = append(needs, part.Needs...)
			secrets = append(secrets, part.Optional)
		}
		all = append(all, out)
	}
	slices.Sort(needs)
	needs = slices.Compact(needs)
	secrets = slices.DeleteFunc(append(secrets, needs...), func(name string) bool { return !strings.HasPrefix(name, "vault_") })
	slices.Sort(secrets)
	return all, needs, slices.Compact(secrets)
}

func resources(s *spec.Spec, kinds []spec.Resource) []spec.Resource {
	var used []spec.Resource
	for _, u := range s.Resources {
		for _, r := range slices.Concat(spec.Resources(), kinds) {
			if r.Kind == u.V {
				used = append(used, r)
			}
		}
	}
	return used
}
