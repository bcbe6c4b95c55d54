// Package monitor renders what Prometheus needs to know of a service. Start
// at [Files]. Which hosts to ask is no part of it: the playbook takes them
// from the inventory.
package monitor

import (
	"bytes"
	_ "embed"
	"strconv"
	"strings"
	"text/template"
	"time"

	"github.com/kinectl/kinectl/internal/artifact"
	"github.com/kinectl/kinectl/internal/plan"
)

//go:embed rules.tmpl
var rules string

// Files returns the alerting rules of a service in the format of Prometheus
// ("Defining alerting rules"): those that every service with metrics gets, one
// for each task, and those of the spec; nothing where there are none. No
// standard rule fires for what has not been scraped yet, since each compares a
// series that is there. The same plan gives the same bytes.
func Files(p plan.Plan) []artifact.File {
	if p.Deploy.Probe.Metrics == 0 && len(p.Timers) == 0 && len(p.Alerts) == 0 {
		return nil
	}
	functions := template.FuncMap{"quote": strconv.Quote, "duration": duration, "literal": literal}
	t := template.Must(template.New("rules").Delims("[[", "]]").Funcs(functions).Parse(rules))
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		panic(err) // the template and the plan's fields are both of this program
	}
	return []artifact.File{{Path: "monitor/" + p.Name + ".rules.yml", Mode: 0o644, Body: b.Bytes()}}
}

// In the template, quote is [strconv.Quote]: each of its escapes is one of
// YAML's double quotes too (YAML 1.2, 5.7).

// duration writes a time span with one unit, as Prometheus reads it.
func duration(d time.Duration) string {
	switch {
	case d%time.Hour == 0:
		return strconv.Itoa(int(d/time.Hour)) + "h"
	case d%time.Minute == 0:
		return strconv.Itoa(int(d/time.Minute)) + "m"
	case d%time.Second == 0:
		return strconv.Itoa(int(d/time.Second)) + "s"
	}
	return strconv.FormatInt(max(d.Milliseconds(), 1), 10) + "ms"
}

// literal keeps Prometheus from reading an annotation as a template: a spec's
// summary means what it says.
func literal(s string) string { return strings.ReplaceAll(s, "{{", `{{"{{"}}`) }
