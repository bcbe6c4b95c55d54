package packager

import (
	"path"
	"slices"
	"strings"

	"github.com/goreleaser/nfpm/v2/files"
)

// units are those of a package, and the other files that systemd is told of.
type units struct {
	// Names are in the order in which they are stopped: first what would start
	// another one again.
	Names    []string
	Sysusers []string // names of files for systemd-sysusers(8)
	Tmpfiles []string // names of files for systemd-tmpfiles(8)
	// Private are files of the service's group, in quotes for a shell. It may not be
	// there yet when a first install unpacks them.
	Private []string
}

// unitsOf finds them by where they are installed, and by the suffixes of
// systemd.unit(5).
func unitsOf(entries []entry) units {
	suffixes := []string{".service", ".socket", ".device", ".mount", ".automount", ".swap", ".target", ".path", ".timer", ".slice", ".scope"}
	var u units
	for _, e := range entries {
		dir, name := path.Split(e.destination)
		if e.group != "" {
			u.Private = append(u.Private, "'"+strings.ReplaceAll(e.destination, "'", `'\''`)+"'")
		}
		if e.kind == files.TypeDir { // like that of drop-ins, films.service.d
			continue
		}
		switch dir {
		case "/usr/lib/systemd/system/":
			if slices.Contains(suffixes, path.Ext(name)) {
				u.Names = append(u.Names, name)
			}
		case "/usr/lib/sysusers.d/":
			u.Sysusers = append(u.Sysusers, name)
		case "/usr/lib/tmpfiles.d/":
			u.Tmpfiles = append(u.Tmpfiles, name)
		}
	}
	last := func(name string) int {
		if path.Ext(name) == ".service" {
			return 1
		}
		return 0
	}
	slices.SortFunc(u.Names, func(a, b string) int {
		if d := last(a) - last(b); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	slices.Sort(u.Sysusers)
	slices.Sort(u.Tmpfiles)
	return u
}

// Any reports whether systemd has anything to do with the package.
func (u units) Any() bool { return len(u.Names)+len(u.Sysusers)+len(u.Tmpfiles) > 0 }

// Timers are the names of timers, whose last runs systemd keeps a stamp of.
func (u units) Timers() []string {
	return slices.DeleteFunc(slices.Clone(u.Names), func(name string) bool { return path.Ext(name) != ".timer" })
}

// Running are the names for a shell of what can run: of a template, its
// instances.
func (u units) Running() []string {
	var all []string
	for _, name := range u.Names {
		if before, after, ok := strings.Cut(name, "@."); ok {
			name = "'" + before + "@*." + after + "'"
		}
		all = append(all, name)
	}
	return all
}
