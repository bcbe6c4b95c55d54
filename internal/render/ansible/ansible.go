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
	"github.com/kinectl/kinectl/internal/render/transaction"
)

//go:embed *.yml.tmpl
var templates embed.FS

// Kept names a release that hosts have kept: what `rollback` goes back to.
type Kept struct {
	Version string // the package's version, as dpkg says it
	Digest  string // of the environment file, as the host's history says it
}

// Deploy returns the playbook that brings p to its group, with the module that
// it hands to each host.
func Deploy(p plan.Plan) []artifact.File { return playbook(p, "deploy", "install", Kept{}) }

// Restore returns the playbook that takes the group of p back to a kept
// release, with the environment and the probe which that release had.
func Restore(p plan.Plan, kept Kept) []artifact.File { return playbook(p, "deploy", "restore", kept) }

// Remove returns the playbook that takes the service of p off its group.
func Remove(p plan.Plan) []artifact.File { return playbook(p, "deploy", "remove", Kept{}) }

// Status returns the playbook that asks every host of p's group what it runs.
func Status(p plan.Plan) []artifact.File { return playbook(p, "status", "", Kept{}) }

// playbook fills one template and puts the module where Ansible looks for it:
// in a folder "library" beside the playbook. Every value that comes from a spec
// goes in through yaml or environment, which quote it.
func playbook(p plan.Plan, name, action string, kept Kept) []artifact.File {
	funcs := template.FuncMap{"yaml": yaml, "serial": serial, "environment": environmentFile}
	t := template.Must(template.New(name+".yml.tmpl").Funcs(funcs).ParseFS(templates, name+".yml.tmpl"))
	var b bytes.Buffer
	err := t.Execute(&b, map[string]any{"Plan": p, "Action": action, "Kept": kept})
	if err != nil {
		panic(fmt.Sprintf("ansible: template %s: %v", name, err)) // the template is ours, the data is plain
	}
	return []artifact.File{
		{Path: "ansible/" + name + ".yml", Mode: 0o644, Body: b.Bytes()},
		{Path: "ansible/library/kinectl_transaction.sh", Mode: 0o644, Body: transaction.Module(p)},
	}
}

// yaml writes s as a double-quoted YAML scalar (YAML 1.2, 7.3.1): every JSON
// string is one.
func yaml(s string) (string, error) {
	b := &bytes.Buffer{}
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(s)
	return strings.TrimSuffix(b.String(), "\n"), err
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
