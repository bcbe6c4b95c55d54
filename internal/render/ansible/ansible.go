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

// Deploy returns the playbook that brings p to its group, and the script that
// the playbook hands to each host.
func Deploy(p plan.Plan) []artifact.File {
	return []artifact.File{
		playbook(p, "deploy.yml.tmpl", "ansible/deploy.yml", "install"),
		script(p),
	}
}

// Restore returns the playbook that takes the group of p back to a kept
// release, with the environment and the probe which that release had.
func Restore(p plan.Plan, kept Kept) []artifact.File {
	return []artifact.File{
		playbook(p, "deploy.yml.tmpl", "ansible/deploy.yml", "restore", kept.Version, kept.Digest),
		script(p),
	}
}

// Remove returns the playbook that takes the service of p off its group.
func Remove(p plan.Plan) []artifact.File {
	return []artifact.File{
		playbook(p, "deploy.yml.tmpl", "ansible/deploy.yml", "remove"),
		script(p),
	}
}

// Status returns the playbook that asks every host of p's group what it runs.
func Status(p plan.Plan) []artifact.File {
	return []artifact.File{
		playbook(p, "status.yml.tmpl", "ansible/status.yml", "none"),
		script(p),
	}
}

func script(p plan.Plan) artifact.File {
	return artifact.File{Path: "ansible/transaction.sh", Mode: 0o755, Body: transaction.Script(p)}
}

// playbook fills one template. Every value that comes from a spec goes in
// through yaml or environment, which quote it.
func playbook(p plan.Plan, name, path, action string, arguments ...string) artifact.File {
	funcs := template.FuncMap{"yaml": yaml, "serial": serial, "environment": environmentFile, "indent": indent}
	t := template.Must(template.New(name).Funcs(funcs).ParseFS(templates, name))
	var b bytes.Buffer
	err := t.Execute(&b, map[string]any{
		"Plan":      p,
		"Action":    action,
		"Arguments": arguments,
		"Carrier":   string(transaction.Carrier()),
		"Sum":       transaction.Sum(transaction.Script(p)),
		"Limit":     int(transaction.Limit(p).Seconds()),
		"Unit":      "kinectl-" + p.Name + ".service",
	})
	if err != nil {
		panic(fmt.Sprintf("ansible: template %s: %v", name, err)) // the template is ours, the data is plain
	}
	return artifact.File{Path: path, Mode: 0o644, Body: b.Bytes()}
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

// indent puts n spaces before every line of s that is not empty.
func indent(n int, s string) string {
	pad := strings.Repeat(" ", n)
	lines := strings.SplitAfter(s, "\n")
	for i, l := range lines {
		if strings.Trim(l, "\n") != "" {
			lines[i] = pad + l
		}
	}
	return strings.Join(lines, "")
}
