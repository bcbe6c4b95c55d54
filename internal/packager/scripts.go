package packager

import (
	"bytes"
	"embed"
	"fmt"
	"text/template"

	"github.com/kinectl/kinectl/internal/lazyregexp"
	"github.com/kinectl/kinectl/internal/plan"
)

// What runs on a host, in the names of each format.
//
//go:embed scripts
var scripts embed.FS

// plain is what may stand in a script without quotes.
var plain = lazyregexp.New(`^[A-Za-z0-9@._-]*$`)

// script returns a script of a package, by its format and name ("deb/prerm"),
// or nil when systemd has nothing to do with the package.
func script(name string, p plan.Plan, u units) ([]byte, error) {
	if !u.Any() {
		return nil, nil
	}
	for _, names := range [][]string{{p.Name, p.Unit.User, p.Unit.Group}, u.Names, u.Sysusers, u.Tmpfiles} {
		for _, n := range names {
			if !plain.MatchString(n) {
				return nil, fmt.Errorf("%q cannot be the name of a unit or of a file for systemd", n)
			}
		}
	}
	t, err := template.ParseFS(scripts, "scripts/"+name+".sh")
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, struct {
		Name, User, Group string
		Cache             bool // whether /var/cache/NAME is its own
		units
	}{p.Name, p.Unit.User, p.Unit.Group, p.Unit.Cache, u})
	return b.Bytes(), err
}
