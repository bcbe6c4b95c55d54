package spec

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"time"
)

//go:embed reference.md
var referenceTemplate string

// Reference returns the page on spec.yml in docs/, as Markdown. Its text is
// written by hand in reference.md; in the place of each line "<!-- keys PATH -->"
// comes a table of the keys at that path, made from the same tree as [Parse].
func Reference() []byte {
	top := schema(&Spec{})[0].value.(object)
	var b strings.Builder
	for line := range strings.Lines(referenceTemplate) {
		what, ok := strings.CutPrefix(strings.TrimSpace(line), "<!-- ")
		what, closed := strings.CutSuffix(what, " -->")
		if !ok || !closed {
			b.WriteString(line)
			continue
		}
		switch kind, path, _ := strings.Cut(what, " "); kind {
		case "note":
			b.WriteString("<!-- Made by kinectl from internal/spec: change reference.md or schema.go there, then run make golden. -->\n")
		case "about":
			b.WriteString(keysTable(about(top)))
		case "keys":
			b.WriteString(keysTable(top.at(path)))
		case "overview":
			b.WriteString(overview(top))
		case "resources":
			b.WriteString(resourcesTable())
		case "loosenings":
			b.WriteString(looseningsTable())
		case "capabilities":
			b.WriteString(capabilitiesTable())
		default:
			panic("reference.md asks for " + what)
		}
	}
	return []byte(b.String())
}

// at returns the keys at a path below service: "" for all, "timers" for those
// of one entry of a list.
func (o object) at(path string) object {
	if path == "" || path == "service" {
		return o
	}
	name, rest, _ := strings.Cut(path, ".")
	for _, k := range o {
		if k.name != name {
			continue
		}
		if inner := k.inner(); inner != nil {
			return inner.at(rest)
		}
	}
	panic("reference.md asks for the keys of " + path)
}

// inner returns the keys below a key, and nil when it has a value of its own.
func (k key) inner() object {
	switch r := k.value.(type) {
	case object:
		return r
	case interface{ entries() object }:
		return r.entries()
	}
	return nil
}

// keysTable is one line for each key that has a value of its own.
func keysTable(o object) string {
	var b strings.Builder
	b.WriteString("| key | meaning | value | default | example |\n| --- | --- | --- | --- | --- |\n")
	for _, k := range o {
		if k.inner() != nil {
			continue
		}
		row(&b, code(k.name), k.doc, describe(k.value).words, k.defaultWords(), code(k.example))
	}
	return b.String()
}

// overview is one line for each key of service, with a link to its section.
func overview(o object) string {
	var b strings.Builder
	b.WriteString("| key | meaning | default |\n| --- | --- | --- |\n")
	for _, k := range o {
		row(&b, fmt.Sprintf("[`%s`](#%s)", k.name, k.section()), k.doc, k.defaultWords())
	}
	return b.String()
}

// section is the headline under which reference.md tells of a key of service.
func (k key) section() string {
	switch k.name {
	case "state", "cache":
		return "state-and-cache"
	}
	if slices.ContainsFunc(about(schema(&Spec{})[0].value.(object)), func(o key) bool { return o.name == k.name }) {
		return "about-the-service"
	}
	return k.name
}

// about are the keys that only say what the service is.
func about(o object) object {
	return o[:slices.IndexFunc(o, func(k key) bool { return k.name == "build" })]
}

func (k key) defaultWords() string {
	switch _, literal := k.literal(); {
	case k.required:
		return "required"
	case literal:
		return code(k.def)
	case strings.Contains(k.def, "NAME"):
		return code(k.def)
	case k.def == "" && k.inner() == nil:
		return "none"
	}
	return k.def
}

func resourcesTable() string {
	var b strings.Builder
	b.WriteString("| kind | variable | Ansible variable |\n| --- | --- | --- |\n")
	for _, r := range Resources() {
		row(&b, code(r.Kind), code(r.Variable), code(r.Needs))
	}
	return b.String()
}

func looseningsTable() string {
	var b strings.Builder
	b.WriteString("| name | what the service may do with it | like | adds to the exposure |\n| --- | --- | --- | --- |\n")
	for _, q := range Permissions() {
		example := q.Name
		if q.Takes != "" {
			example = q.Name + ": " + q.Takes
		}
		row(&b, code(q.Name), q.Doc, code("- "+example), tenths(q.Cost))
	}
	return b.String()
}

func capabilitiesTable() string {
	var b strings.Builder
	b.WriteString("| name | what the service may do with it | adds to the exposure |\n| --- | --- | --- |\n")
	for _, c := range Capabilities() {
		row(&b, code(c.Name), c.Doc, tenths(c.Cost))
	}
	return b.String()
}

func tenths(n int) string { return fmt.Sprintf("%d.%d", n/10, n%10) }

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

// row writes a line of a table; a | would end its cell, even in code.
func row(b *strings.Builder, cells ...string) {
	for _, c := range cells {
		b.WriteString("| " + strings.ReplaceAll(c, "|", `\|`) + " ")
	}
	b.WriteString("|\n")
}

// span writes a duration as a spec does: "10m", not "10m0s".
func span(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
