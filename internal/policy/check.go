package policy

import (
	"fmt"
	"path"
	"slices"

	"github.com/kinectl/kinectl/internal/diag"
	"github.com/kinectl/kinectl/internal/spec"
)

// Check returns an error for each thing that a spec asks for and the policy
// does not open to its group, at its place in the spec, with what to add to
// policy.yml. It is not safe for concurrent use on one spec.
func Check(p Policy, s *spec.Spec) diag.Findings {
	var all diag.Findings
	grants := p.of(s.Group.V)
	open := func(is func(grant) bool) bool { return slices.ContainsFunc(grants, is) }
	forbid := func(rule, where string, at spec.Pos, entry, format string, args ...any) {
		hint := fmt.Sprintf("who keeps the infra repository can open it in policy.yml: groups: {%s: {%s}}", s.Group.V, entry)
		all = append(all, s.Finding(rule, diag.Error, where, at, hint, fmt.Sprintf(format, args...)+" is not open to the group "+s.Group.V))
	}
	for _, who := range []struct {
		key   string
		value spec.Value[string]
	}{{"owner", s.Security.Owner}, {"group", s.Security.Group}} {
		if who.value.V == "root" && !open(func(g grant) bool { return g.root }) {
			forbid("policy-owner", "service.security."+who.key, who.value.At, "root: true", "root as the %s", map[string]string{"owner": "user", "group": "group"}[who.key])
		}
	}
	for i, f := range s.Files {
		to := f.Destination.V
		if f.Destination.Set && !open(func(g grant) bool { return within(to, g.files, s.Name.V) }) {
			forbid("policy-files", fmt.Sprintf("service.files[%d].dst", i), f.Destination.At, "files: ["+path.Clean(to)+"]", "%s", to)
		}
	}
	for i, c := range s.Capabilities {
		if !open(func(g grant) bool { return slices.Contains(g.capabilities, c.V) }) {
			forbid("policy-capability", fmt.Sprintf("service.capabilities[%d]", i), c.At, "capabilities: ["+c.V+"]", "%s", c.V)
		}
	}
	for i, l := range s.Security.Allow {
		values := l.V.Values
		if len(values) == 0 {
			values = []string{""}
		}
		for _, v := range values {
			if open(func(g grant) bool { return g.permits(l.V.Name, v, s.Name.V) }) {
				continue
			}
			entry, what := "allow: ["+l.V.Name+"]", l.V.Name
			if v != "" {
				entry, what = "allow: [{"+l.V.Name+": ["+v+"]}]", l.V.Name+" "+v
			}
			forbid("policy-allow", fmt.Sprintf("service.security.allow[%d]", i), l.At, entry, "%s", what)
		}
	}
	return all
}
