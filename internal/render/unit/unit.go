// Package unit renders what the package of a service carries besides its
// program: the systemd units, the entries that make its user and its folders,
// and the spec itself. Start at [Files].
//
// All text that comes from a spec goes through escape.go. What the units of
// one service share, above all the sandbox, stands in shared.tmpl; sandbox.go
// says what the spec can ask for beyond it.
package unit

import (
	"bytes"
	"embed"
	"text/template"

	"github.com/kinectl/kinectl/internal/artifact"
	"github.com/kinectl/kinectl/internal/plan"
)

//go:embed *.tmpl
var templates embed.FS

// Files returns the files of the plan's package, in a fixed order. The same
// plan gives the same bytes. The units are, as far as the plan has use for
// them, NAME.service, NAME.socket, NAME-TASK.service and NAME-TASK.timer for
// each timer, NAME-probe.service for an exec probe, and NAME-next.service where
// a restart overlaps.
func Files(p plan.Plan) []artifact.File {
	var all []artifact.File
	add := func(path, install string, body []byte) {
		if body != nil {
			all = append(all, artifact.File{Path: path, Install: install, Mode: 0o644, Body: body})
		}
	}
	for _, u := range units(p) {
		add("systemd/"+u.name, "/usr/lib/systemd/system/"+u.name, u.body)
	}
	add("sysusers.d/"+p.Name+".conf", "/usr/lib/sysusers.d/"+p.Name+".conf", sysusers(p))
	add("tmpfiles.d/"+p.Name+".conf", "/usr/lib/tmpfiles.d/"+p.Name+".conf", tmpfiles(p))
	add("next.environment", "/usr/share/kinectl/"+p.Name+"/next.environment", nextEnvironment(p))
	add("spec.yml", "/usr/share/kinectl/"+p.Name+"/spec.yml", bytes.Clone(p.Spec))
	return all
}

// unitFile is one unit.
type unitFile struct {
	name string
	body []byte
}

// process is what the template of a service needs, be it the service itself,
// a task or the probe.
type process struct {
	Plan         plan.Plan
	Description  string
	Start        plan.Command
	Limits       plan.Limits
	Loosened     []asked
	Probe        bool // is the unit of the probe
	SocketFolder bool // the service's runtime directory holds a socket
}

func units(p plan.Plan) []unitFile {
	t := template.Must(template.New("").Funcs(template.FuncMap{
		"text": text, "line": line, "command": command, "directive": directive,
	}).ParseFS(templates, "*.tmpl"))
	loosened := loosened(p.Unit.Sandbox)
	var all []unitFile
	if p.Unit.Runs() {
		all = append(all, unitFile{p.Name + ".service", filled(t, "service.tmpl", process{
			Plan: p, Description: p.Description, Start: p.Unit.Start, Limits: p.Unit.Limits, Loosened: loosened, SocketFolder: socketFolder(p),
		})})
	}
	if p.Deploy.Overlap {
		all = append(all, unitFile{p.Name + "-next.service", filled(t, "next.tmpl", process{
			Plan: p, Description: p.Description + ": while it restarts", Start: p.Unit.Start, Limits: p.Unit.Limits, Loosened: loosened,
		})})
	}
	if len(p.Sockets) > 0 {
		all = append(all, unitFile{p.Name + ".socket", socketUnit(t, p)})
	}
	for _, task := range p.Timers {
		description := p.Description + ": " + task.Name
		all = append(all, unitFile{p.Name + "-" + task.Name + ".service", filled(t, "once.tmpl", process{
			Plan: p, Description: description, Start: task.Exec, Limits: task.Limits, Loosened: loosened,
		})}, unitFile{p.Name + "-" + task.Name + ".timer", filled(t, "timer.tmpl", map[string]string{
			"Description": description + ": timer", "OnCalendar": task.OnCalendar,
		})})
	}
	if p.Deploy.Probe.Type == "exec" {
		all = append(all, unitFile{p.Name + "-probe.service", filled(t, "once.tmpl", process{
			Plan: p, Description: p.Description + ": probe", Start: p.Deploy.Probe.Command, Limits: p.Unit.Limits, Loosened: loosened, Probe: true,
		})})
	}
	return all
}

// filled fills one of the templates.
func filled(t *template.Template, name string, with any) []byte {
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, name, with); err != nil {
		panic(err) // the templates and what they are given are both of this program
	}
	return b.Bytes()
}
