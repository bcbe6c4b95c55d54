package spec

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kinectl/kinectl/internal/diag"
)

// loosened notes each entry of security.allow and of capabilities: what the
// service may do with it, and what that costs.
func loosened(s *Spec) diag.Findings {
	var all diag.Findings
	note := func(path string, at Pos, name, may string, cost int) {
		all = append(all, s.finding("sandbox-loosened", diag.Note, path, at,
			"remove it if the service can do without; "+price(cost), name+" lets the service "+may))
	}
	permissions, capabilities := Permissions(), Capabilities()
	for i, l := range s.Security.Allow {
		path := fmt.Sprintf("service.security.allow[%d]", i)
		if k := slices.IndexFunc(permissions, func(q Permission) bool { return q.Name == l.V.Name }); k >= 0 {
			may := permissions[k].Doc
			if len(l.V.Values) > 0 {
				may += " (" + strings.Join(l.V.Values, ", ") + ")"
			}
			note(path, l.At, l.V.Name, may, permissions[k].Cost)
		}
	}
	for i, c := range s.Capabilities {
		path := fmt.Sprintf("service.capabilities[%d]", i)
		if k := slices.IndexFunc(capabilities, func(k Capability) bool { return k.Name == c.V }); k >= 0 {
			note(path, c.At, c.V, capabilities[k].Doc, capabilities[k].Cost)
		}
	}
	return all
}

// price says what a loosening alone adds to the exposure.
func price(cost int) string {
	if cost == 0 {
		return "it adds less than 0.1 to the exposure of 1.1"
	}
	return fmt.Sprintf("it adds %d.%d to the exposure of 1.1", cost/10, cost%10)
}
