package service

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// writeHelp is the answer to --help.
func writeHelp(w io.Writer, build Build, commands [][2]string, own, shared []field) {
	fmt.Fprintf(w, "%s %s\n\n", build.Name, build.Version)
	columns := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	line := func(cells ...string) { fmt.Fprintln(columns, strings.TrimRight("  "+strings.Join(cells, "\t"), "\t")) }
	line(build.Name, "serves, until SIGTERM or SIGINT")
	for _, c := range commands {
		line(build.Name+" "+c[0], c[1])
	}
	line(build.Name+" --check-config", "reads the variables as a start does; all mistakes, and exit code 2")
	line(build.Name+" --version", "")
	line(build.Name+" --help", "")
	_ = columns.Flush()

	for _, group := range []struct {
		title  string
		fields []field
	}{{"Variables", own}, {"Variables of every service", shared}} {
		if len(group.fields) == 0 {
			continue
		}
		fmt.Fprintf(w, "\n%s:\n\n", group.title)
		for _, f := range group.fields {
			line(f.variable, f.condition(), f.help)
		}
		_ = columns.Flush()
	}
}

// condition says whether a variable must be set, and what holds if not.
func (f field) condition() string {
	var said []string
	if f.secret {
		said = append(said, "secret")
	}
	switch {
	case f.hasDefault && f.secret:
		said = append(said, "has a default")
	case f.hasDefault:
		said = append(said, "default "+cmp.Or(f.byDefault, `""`))
	case f.required:
		said = append(said, "required")
	default:
		said = append(said, "optional")
	}
	return strings.Join(said, ", ")
}
