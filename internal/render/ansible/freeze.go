package ansible

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"text/template"

	"github.com/kinectl/kinectl/internal/artifact"
	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/render/transaction"
)

// Everything is the name under which a whole environment is frozen. No service
// can have it.
const Everything = "_all"

// Freeze returns the playbook that keeps releases of p off its group, with the
// reason that whoever tries is told. For all services p's name is [Everything].
func Freeze(p plan.Plan, reason string) []artifact.File { return freeze(p, reason, false) }

// Unfreeze returns the playbook that ends a freeze.
func Unfreeze(p plan.Plan) []artifact.File { return freeze(p, "", true) }

func freeze(p plan.Plan, reason string, thaw bool) []artifact.File {
	const name = "freeze.yml.tmpl"
	t := template.Must(template.New(name).Funcs(template.FuncMap{"yaml": yaml[string]}).ParseFS(templates, name))
	var b bytes.Buffer
	// A reason may have any letters: neither Ansible nor a shell shall read it.
	data := map[string]any{"Group": p.Group, "Reason": base64.StdEncoding.EncodeToString([]byte(reason)), "Thaw": thaw}
	if err := t.Execute(&b, data); err != nil {
		panic(fmt.Sprintf("ansible: template %s: %v", name, err)) // the template is ours, the data is plain
	}
	return []artifact.File{
		{Path: "ansible/freeze.yml", Mode: 0o644, Body: b.Bytes()},
		{Path: "ansible/library/kinectl_transaction.sh", Mode: 0o644, Body: transaction.Module(p)},
	}
}
