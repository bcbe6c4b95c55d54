// Package ansible renders the playbooks that spread a release over a group of
// hosts. Start at [Deploy]. They are plain YAML that ansible-playbook runs
// without kinectl; what happens on a host is one task, the script of package
// transaction.
package ansible

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"strings"
	"text/template"

	"github.com/kinectl/kinectl/internal/artifact"
	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/render/monitor"
	"github.com/kinectl/kinectl/internal/render/proxy"
	"github.com/kinectl/kinectl/internal/render/transaction"
)

//go:embed *.yml.tmpl
var templates embed.FS

//go:embed kinectl_lease.py
var lease []byte

// Deploy returns the playbook that brings p to its group, with the module that
// it hands to each host.
func Deploy(p plan.Plan) []artifact.File { return playbook(p, run{name: "deploy", action: "install"}) }

// Back is what one host goes back to.
type Back struct {
	Release int // number of the kept release; 0 to stay
	Newest  int // number of the newest kept when that was chosen, 0 for none, -1 if it was not known; with another one the host refuses
}

// Restore returns the playbook that takes the group of p back to releases that
// its hosts have kept, with the environment and the probe which those had. A host
// that is not in the map stays.
func Restore(p plan.Plan, releases map[string]Back) []artifact.File {
	return playbook(p, run{name: "deploy", action: "restore", releases: releases})
}

// Bring returns the playbook of a rollback for hosts that have not kept the version:
// it is installed from the repository, and each forgets the release that it leaves.
func Bring(p plan.Plan, releases map[string]Back) []artifact.File {
	return playbook(p, run{name: "deploy", action: "install", releases: releases})
}

// Remove returns the playbook that takes the service of p off its group.
func Remove(p plan.Plan) []artifact.File { return playbook(p, run{name: "deploy", action: "remove"}) }

// Status returns the playbook that asks every host of p's group what it runs.
func Status(p plan.Plan) []artifact.File { return playbook(p, run{name: "status", action: "status"}) }

// Survey returns the playbook that asks every host of a group, which may be "all",
// for the status of each service that was released there.
func Survey(group string) []artifact.File {
	return playbook(plan.Plan{Group: group}, run{name: "status", action: "survey"})
}

// History returns the playbook that asks every host of p's group for the last
// lines of its history.
func History(p plan.Plan, lines int) []artifact.File {
	return playbook(p, run{name: "status", action: "history", lines: lines})
}

// Power returns the playbook that does what action says ("restart", "start" or
// "stop") to the service of p, batch by batch.
func Power(p plan.Plan, action string) []artifact.File {
	return playbook(p, run{name: "deploy", action: action})
}

// Preview returns the playbook that asks every host of p's group what p would
// change there. It changes nothing.
func Preview(p plan.Plan) []artifact.File { return playbook(p, run{name: "plan", action: "install"}) }

// run is which template a playbook is made of, and for what.
type run struct {
	name     string          // of the template and the playbook
	action   string          // of the transaction, or the question of "status"
	releases map[string]Back // of Restore and Bring
	lines    int             // of History
}

// playbook fills one template and puts the module and the alerts where Ansible
// looks for them: in the folders "library" and "files" beside the playbook. Every value that comes from a spec
// goes in through yaml or environment, which quote it.
func playbook(p plan.Plan, r run) []artifact.File {
	name, action := r.name, r.action
	funcs := template.FuncMap{"yaml": yaml[string], "list": list, "long": long, "serial": serial, "environment": environmentFile, "password": password}
	t := template.Must(template.New(name+".yml.tmpl").Funcs(funcs).ParseFS(templates, name+".yml.tmpl", "routes.yml.tmpl"))
	var b bytes.Buffer
	data := map[string]any{"Plan": p, "Action": action, "Releases": r.releases, "Lines": r.lines, "Pad": ""}
	// A value that is not encrypted stops the run before any host is asked.
	data["Early"] = action == "install" && len(p.Secrets)+len(p.Resources) > 0
	if len(p.Routes) > 0 {
		data["Pad"] = "    " // of a task in a block
	}
	data["OutFor"] = int(2 * transaction.Limit(p).Seconds()) // and no longer, even when it is rolled back
	if action != "remove" {
		data["Targets"], data["Rules"] = p.Deploy.Probe.Metrics != 0, rules(p)
	}
	err := t.Execute(&b, data)
	if err != nil {
		panic(fmt.Sprintf("ansible: template %s: %v", name, err)) // the template is ours, the data is plain
	}
	files := []artifact.File{
		{Path: "ansible/" + name + ".yml", Mode: 0o644, Body: b.Bytes()},
		{Path: "ansible/library/kinectl_transaction.sh", Mode: 0o644, Body: transaction.Module(p)},
	}
	if alerts, ok := data["Rules"].([]byte); ok && name == "deploy" && alerts != nil {
		files = append(files, artifact.File{Path: "ansible/files/" + p.Name + ".rules.yml", Mode: 0o644, Body: alerts})
	}
	if name == "deploy" {
		files = append(files, proxy.Files(p)...)
		files = append(files, artifact.File{Path: "ansible/callback_plugins/kinectl_lease.py", Mode: 0o644, Body: lease})
	}
	return files
}

// rules are the alerts of p as Prometheus reads them, or nil.
func rules(p plan.Plan) []byte {
	for _, f := range monitor.Files(p) {
		if strings.HasSuffix(f.Path, ".rules.yml") {
			return f.Body
		}
	}
	return nil
}

// yaml writes v in YAML's flow style (YAML 1.2, chapter 7), of which JSON is a
// part.
func yaml[T any](v T) (string, error) {
	b := &bytes.Buffer{}
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return strings.TrimSuffix(b.String(), "\n"), err
}

// list writes names, which need no quotes, as one list.
func list(names []string) string { return "[" + strings.Join(names, ", ") + "]" }

// password is a pattern in YAML's single quotes, in which a backslash is one.
func password() string { return "'" + plan.PlainPassword + "'" }

// long is yaml of a text of many lines: each stands on lines of its own, which a
// backslash at their ends makes one (YAML 1.2, 7.3.1).
func long(s string) (string, error) {
	const width, margin = 110, "      "
	var b strings.Builder
	for line := range strings.Lines(s) {
		for runes := []rune(line); len(runes) > 0; runes = runes[min(width, len(runes)):] {
			text, err := yaml(string(runes[:min(width, len(runes))]))
			if err != nil {
				return "", err
			}
			text = text[1 : len(text)-1]
			if strings.HasPrefix(text, " ") {
				text = `\` + text // or it would be taken for the margin
			}
			b.WriteString("\\\n" + margin + text)
		}
	}
	return `"` + b.String() + `"`, nil
}

// serial writes batches as Ansible takes them: a number stays a number.
func serial(batches []string) string {
	words := make([]string, len(batches))
	for i, s := range batches {
		words[i] = s
		if strings.HasSuffix(s, "%") {
			words[i] = `"` + s + `"`
		}
	}
	if len(words) == 1 {
		return words[0]
	}
	return "[" + strings.Join(words, ", ") + "]"
}
