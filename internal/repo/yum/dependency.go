package yum

import (
	"slices"
	"strings"

	"github.com/kinectl/kinectl/internal/repo/rpmfile"
)

// dependencies appends one list of a record; an empty one is left out.
func dependencies(b []byte, name string, list []rpmfile.Dependency) []byte {
	if len(list) == 0 {
		return b
	}
	b = append(append(append(b, "<rpm:"...), name...), ">\n"...)
	for _, d := range list {
		b = attribute(append(b, "<rpm:entry"...), "name", d.Name)
		if flags := d.Compare.String(); flags != "" {
			b = attribute(b, "flags", flags)
		}
		if d.Version != "" {
			epoch := d.Epoch
			if epoch == "" {
				epoch = "0"
			}
			b = attribute(attribute(b, "epoch", epoch), "ver", d.Version)
		}
		if d.Release != "" {
			b = attribute(b, "rel", d.Release)
		}
		if d.Pre {
			b = attribute(b, "pre", "1")
		}
		b = append(b, "/>\n"...)
	}
	return append(append(append(b, "</rpm:"...), name...), ">\n"...)
}

// needed is what a package requires of others: not of rpm itself, whose
// features no package provides, not what it brings along, and nothing twice.
// createrepo_c also leaves out all but the newest libc.so.6(GLIBC_…), which
// saves some bytes and trusts that each implies the older ones; they stay here.
func needed(r *rpmfile.Package) []rpmfile.Dependency {
	if len(r.Requires) == 0 {
		return nil
	}
	provided := make(map[rpmfile.Dependency]bool, len(r.Provides))
	for _, d := range r.Provides {
		provided[withoutPre(d)] = true
	}
	var list []rpmfile.Dependency
	seen := map[rpmfile.Dependency]bool{}
	for _, d := range r.Requires {
		own := func(f rpmfile.File) bool { return f.Path == d.Name }
		switch {
		case strings.HasPrefix(d.Name, "rpmlib("),
			provided[withoutPre(d)],
			isPrimary(d.Name) && slices.ContainsFunc(r.Files, own),
			seen[d]:
		default:
			seen[d] = true
			list = append(list, d)
		}
	}
	return list
}

func withoutPre(d rpmfile.Dependency) rpmfile.Dependency {
	d.Pre = false
	return d
}
