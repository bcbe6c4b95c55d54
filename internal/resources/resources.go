// Package resources reads resources.yml: the kinds of resource that a team has
// beside those that kinectl knows. Start at [Read].
//
// The file stands at the root of the infra repository:
//
//	resources:
//	  billing:
//	    variable: BILLING_URL # what the service reads
//	    needs: billing_url    # the Ansible variable that holds the value
//
// A spec then lists billing under `resources` like any other kind.
package resources

import (
	"slices"
	"strings"

	"github.com/kinectl/kinectl/internal/diag"
	"github.com/kinectl/kinectl/internal/infrafile"
	"github.com/kinectl/kinectl/internal/lazyregexp"
	"github.com/kinectl/kinectl/internal/spec"
)

// File is the name of the file in an infra repository.
const File = "resources.yml"

var (
	kindPattern     = lazyregexp.New(`^[a-z][a-z0-9_]{0,30}$`)
	variablePattern = lazyregexp.New(`^[A-Z][A-Z0-9_]*$`)
	needsPattern    = lazyregexp.New(`^[a-z][a-z0-9_]*$`)
)

// Read returns the kinds of a resources.yml in the order of the file, and all
// that is wrong with it, sorted by place; name is the file's in findings. Use
// the kinds only when no finding is an error. A repository without the file
// has no kinds of its own: there is nothing to read then.
func Read(name string, src []byte) ([]spec.Resource, diag.Findings) {
	d, root, ok := infrafile.Load(name, src)
	var kinds []spec.Resource
	if ok {
		for _, top := range d.Map(root, "resources") {
			for _, e := range d.Map(top.Value) {
				if r, ok := one(d, e, slices.Concat(spec.Resources(), kinds)); ok {
					kinds = append(kinds, r)
				}
			}
		}
	}
	d.Findings.Sort()
	return kinds, d.Findings
}

// one reads one kind; taken are those that there are already.
func one(d *infrafile.Document, e infrafile.Entry, taken []spec.Resource) (spec.Resource, bool) {
	before := len(d.Findings)
	r := spec.Resource{Kind: e.Name}
	if !kindPattern.MatchString(e.Name) {
		d.Fault("bad-value", e.Key, "lower-case letters, digits and _, a letter first", "a kind of resource cannot be called %.60q", e.Name)
	}
	for _, field := range d.Map(e.Value, "variable", "needs") {
		to, like, hint := &r.Variable, variablePattern, "capitals, digits and _, like BILLING_URL"
		if field.Name == "needs" {
			to, like, hint = &r.Needs, needsPattern, "the name of an Ansible variable: lower-case letters, digits and _, like billing_url"
		}
		if text, ok := d.Text(field.Value); ok && !like.MatchString(text) {
			d.Fault("bad-value", field.Value, hint, "%s cannot be %.60q", field.Name, text)
		} else {
			*to = text
		}
	}
	if len(d.Findings) == before && (r.Variable == "" || r.Needs == "") {
		d.Fault("missing-key", e.Key, "like {variable: "+strings.ToUpper(e.Name)+"_URL, needs: "+e.Name+"_url}", "the kind %s needs both variable and needs", e.Name)
	}
	for _, t := range taken {
		switch {
		case t.Kind == r.Kind:
			d.Fault("duplicate-value", e.Key, "choose another name", "kinectl knows the kind %s already", r.Kind)
		case t.Variable == r.Variable:
			d.Fault("duplicate-variable", e.Key, "choose another name", "the kind %s sets %s already", t.Kind, t.Variable)
		}
	}
	return r, len(d.Findings) == before
}
