// Package unit renders what the package of a service carries besides its
// binary: the systemd unit, the entry that makes its user, and the spec
// itself. Start at [Files].
//
// All text that comes from a spec goes through escape.go.
package unit

import (
	"bytes"
	_ "embed"
	"fmt"
	"text/template"

	"github.com/kinectl/kinectl/internal/artifact"
	"github.com/kinectl/kinectl/internal/plan"
)

//go:embed service.tmpl
var service string

// Files returns the files of the plan's package, in a fixed order. The same
// plan gives the same bytes.
func Files(p plan.Plan) []artifact.File {
	return []artifact.File{
		{
			Path:    "systemd/" + p.Name + ".service",
			Install: "/usr/lib/systemd/system/" + p.Name + ".service",
			Mode:    0o644,
			Body:    serviceUnit(p),
		},
		{
			Path:    "sysusers.d/" + p.Name + ".conf",
			Install: "/usr/lib/sysusers.d/" + p.Name + ".conf",
			Mode:    0o644,
			Body:    sysusers(p),
		},
		{
			Path:    "spec.yml",
			Install: "/usr/share/kinectl/" + p.Name + "/spec.yml",
			Mode:    0o644,
			Body:    bytes.Clone(p.Spec),
		},
	}
}

// serviceUnit renders systemd.service(5).
func serviceUnit(p plan.Plan) []byte {
	t := template.Must(template.New("service").Funcs(template.FuncMap{"text": text, "command": command}).Parse(service))
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		panic(err) // the template and the plan's fields are both of this program
	}
	return b.Bytes()
}

// sysusers renders sysusers.d(5). The full name is not the description, since
// a colon in it would break /etc/passwd.
func sysusers(p plan.Plan) []byte {
	if p.Unit.User == p.Unit.Group {
		return fmt.Appendf(nil, "u %s - \"%s service\"\n", p.Unit.User, p.Name)
	}
	return fmt.Appendf(nil, "g %s -\nu %s -:%[1]s \"%[3]s service\"\n", p.Unit.Group, p.Unit.User, p.Name)
}
