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

// Deploy returns the playbook that brings p to its group, with the module that
// it hands to each host.
func Deploy(p plan.Plan) []artifact.File { return playbook(p, "deploy", "install", nil) }

// Restore returns the playbook that takes the group of p back to releases that
// its hosts have kept, with the environment and the probe which those had. The
// map gives each host its own release number; one that is not in it stays.
func Restore(p plan.Plan, releases map[string]int) []artifact.File {
	return playbook(p, "deploy", "restore", releases)
}

// Remove returns the playbook that takes the service of p off its group.
func Remove(p plan.Plan) []artifact.File { return playbook(p, "deploy", "remove", nil) }

// Status returns the playbook that asks every host of p's group what it runs.
func Status(p plan.Plan) []artifact.File { return playbook(p, "status", "", nil) }

// playbook fills one template and puts the module where Ansible looks for it:
// in a folder "library" beside the playbook. Every value that comes from a spec
// goes in through yaml or environment, which quote it.
func playbook(p plan.Plan, name, action string, releases map[string]int) []artifact.File {
	funcs := template.FuncMap{"yaml": yaml[string], "flow": yaml[map[string]int], "serial": serial, "environment": environmentFile}
	t := template.Must(template.New(name+".yml.tmpl").Funcs(funcs).ParseFS(templates, name+".yml.tmpl"))
	var b bytes.Buffer
	err := t.Execute(&b, map[string]any{"Plan": p, "Action": action, "Releases": releases})
	if err != nil {
		panic(fmt.Sprintf("ansible: template %s: %v", name, err)) // the template is ours, the data is plain
	}
	return []artifact.File{
		{Path: "ansible/" + name + ".yml", Mode: 0o644, Body: b.Bytes()},
		{Path: "ansible/library/kinectl_transaction.sh", Mode: 0o644, Body: transaction.Module(p)},
	}
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
