// Package monitor renders what Prometheus needs to know of a service. Start
// at [Files]. Which hosts to ask is no part of it: the playbook takes them
// from the inventory.
package monitor

import (
	"bytes"
	_ "embed"
	"text/template"

	"github.com/kinectl/kinectl/internal/artifact"
	"github.com/kinectl/kinectl/internal/plan"
)

//go:embed rules.tmpl
var rules string

// Files returns the alerting rules that every service gets, in the format of
// Prometheus ("Defining alerting rules"). The same plan gives the same bytes.
func Files(p plan.Plan) []artifact.File {
	t := template.Must(template.New("rules").Delims("[[", "]]").Parse(rules))
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		panic(err) // the template and the plan's fields are both of this program
	}
	return []artifact.File{{Path: "monitor/" + p.Name + ".rules.yml", Mode: 0o644, Body: b.Bytes()}}
}
