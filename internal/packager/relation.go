package packager

import (
	"slices"
	"strings"

	"github.com/kinectl/kinectl/internal/plan"
)

// relations writes what the package depends on, each once and in a fixed
// order. With first, a package that its own scripts need is one of them.
func (j *job) relations(first string, write func(plan.Dependency) string) []string {
	p := j.Plan.Package
	all := slices.Concat(p.Depends, p.ByDistribution[j.options.Distribution])
	var out []string
	if first != "" && j.units.Any() && !slices.ContainsFunc(all, func(d plan.Dependency) bool { return d.Name == first }) {
		out = append(out, first)
	}
	for _, d := range all {
		if r := write(d); !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	return out
}

// spaced is how rpm writes a relation ("libvips >= 8.14").
func spaced(d plan.Dependency) string {
	return strings.TrimSpace(d.Name + " " + d.Relation + " " + d.Version)
}

// joined is how apk and pacman write it ("libvips>=8.14").
func joined(d plan.Dependency) string { return d.Name + d.Relation + d.Version }
