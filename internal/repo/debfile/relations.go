package debfile

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/kinectl/kinectl/internal/lazyregexp"
)

// relationFields are the fields that apt reads as relations to other packages.
// One that it cannot read stops apt on every host that has the index.
func relationFields() []string {
	return []string{"pre-depends", "depends", "recommends", "suggests", "enhances", "breaks", "conflicts", "replaces", "provides"}
}

// relation is one package, as Debian policy 7.1 writes it in a binary package:
// without the restrictions to architectures and build profiles of source
// packages. Names are taken as dpkg takes them, upper case too.
var relation = lazyregexp.New(`^[A-Za-z0-9][A-Za-z0-9+._-]*(:[a-z0-9-]+)?[ \t]*(\([ \t]*(<<|<=|=|>=|>>|<|>)[ \t]*([0-9]+:)?[A-Za-z0-9][A-Za-z0-9.+~-]*[ \t]*\))?$`)

// checkRelations says every relation that apt may not be able to read.
func checkRelations(fields []Field) error {
	var faults []error
	for _, f := range fields {
		name := strings.ToLower(f.Name)
		if !slices.Contains(relationFields(), name) {
			continue
		}
		value := strings.TrimSpace(strings.ReplaceAll(f.Value, "\n", " "))
		if value == "" {
			continue
		}
		value = strings.TrimSuffix(value, ",") // many packages have one, and apt passes over it
		for group := range strings.SplitSeq(value, ",") {
			alternatives := strings.Split(group, "|")
			if name == "provides" && len(alternatives) > 1 {
				faults = append(faults, fmt.Errorf("field %s: %.80q: there are no alternatives in it", f.Name, strings.TrimSpace(group)))
				continue
			}
			for _, one := range alternatives {
				if one = strings.TrimSpace(one); !relation.MatchString(one) {
					faults = append(faults, fmt.Errorf("field %s: %.80q is not a package, or a package and a version in parentheses", f.Name, one))
				}
			}
		}
	}
	return errors.Join(faults...)
}
