// Package packager turns a plan, its rendered files and a program into a
// package that the package manager of a host installs. Start at [Write];
// docs/packages.md says what is in a package and what its scripts do.
//
// contents.go settles what goes in and what is refused, docs.go writes what
// every package says of itself, scripts.go what runs on the host, and there is
// one file per format. The same input gives the same bytes, on any machine and
// at any time. Nothing is written but to the writer that the caller hands over,
// and a temporary folder that is removed. All functions may be called at the
// same time.
package packager

import (
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/goreleaser/nfpm/v2"

	"github.com/kinectl/kinectl/internal/artifact"
	"github.com/kinectl/kinectl/internal/plan"
)

// Contents is what goes into a package.
type Contents struct {
	Plan     plan.Plan
	Rendered []artifact.File // those that say where they are installed
	Binary   string          // path of the program, packed as /usr/bin/NAME; "" for a package of files only
	Files    []File
	SBOM     []byte // CycloneDX, in JSON; nil for none
}

// File is one more file or folder.
type File struct {
	Source      string // path on this machine; of a folder, all that is below
	Destination string // absolute
	// Mode is the permission bits of the file, or of all files of the folder. 0
	// is 0755 for what can be executed here, and 0644 for the rest.
	Mode   fs.FileMode
	Config bool // kept when a person has changed it; so is everything in /etc
}

// Options are what one plan can be packed as.
type Options struct {
	Arch string // as Go calls it: "amd64"
	// Distribution is the one that the package is for ("debian12"), which adds
	// its dependencies; "" for all.
	Distribution string
	Compression  string // one of [Compressions], with a level or not ("zstd:3"); "" for the format's default
}

// format is one kind of package.
type format struct {
	name          string
	distributions []string // whose packages these are; the beginnings of Options.Distribution
	compressions  []string // the default first
	levels        bool     // whether a compression may have a level
	file          func(plan.Plan, Options) string
	describe      func(*job, *nfpm.Info) error // what only this format has
	packager      nfpm.Packager
}

func formats() []format { return []format{deb(), rpm(), apk(), archlinux()} }

// Formats are the names of the formats.
func Formats() []string {
	var all []string
	for _, f := range formats() {
		all = append(all, f.name)
	}
	return all
}

// Compressions are what a format can be compressed with, its default first.
// It is nil for a format that there is none of.
func Compressions(name string) []string {
	f, err := find(name)
	if err != nil {
		return nil
	}
	return slices.Clone(f.compressions)
}

// Suits reports whether a distribution installs packages of a format.
func Suits(name, distribution string) bool {
	f, err := find(name)
	return err == nil && (distribution == "" || slices.ContainsFunc(f.distributions, func(d string) bool { return strings.HasPrefix(distribution, d) }))
}

// Name is the name of the package's file, by the custom of its format. It is
// empty for a format that there is none of.
func Name(p plan.Plan, name string, o Options) string {
	f, err := find(name)
	if err != nil {
		return ""
	}
	return f.file(p, o)
}

// Write writes the package of c in a format to w. When it returns an error,
// what w has got so far is no package. The error names the file that is in the
// way, and what to do about it.
func Write(name string, c Contents, o Options, w io.Writer) error {
	fault := func(err error) error {
		return fmt.Errorf("package %s %s as %s for %s: %w", c.Plan.Name, c.Plan.Version, name, o.Arch, err)
	}
	f, err := find(name)
	if err != nil {
		return fault(err)
	}
	if err := f.check(o); err != nil {
		return fault(err)
	}
	j, err := newJob(c, o)
	if err != nil {
		return fault(err)
	}
	defer j.remove()
	info, err := j.info()
	if err != nil {
		return fault(err)
	}
	if err := f.describe(j, info); err != nil {
		return fault(err)
	}
	out := &output{to: w}
	if err := f.packager.Package(info, out); err != nil {
		return fault(err)
	}
	if out.err != nil {
		return fault(out.err)
	}
	return nil
}

// find returns the format of that name.
func find(name string) (format, error) {
	all := formats()
	i := slices.IndexFunc(all, func(f format) bool { return f.name == name })
	if i < 0 {
		return format{}, fmt.Errorf("there is no package format %q; there are %s", name, strings.Join(Formats(), ", "))
	}
	return all[i], nil
}

// check refuses options that the format cannot have.
func (f format) check(o Options) error {
	if !Suits(f.name, o.Distribution) {
		return fmt.Errorf("%s is no distribution of %s packages", o.Distribution, f.name)
	}
	kind, _, level := strings.Cut(o.Compression, ":")
	known := slices.ContainsFunc(f.compressions, func(c string) bool { c, _, _ = strings.Cut(c, ":"); return c == kind })
	if o.Compression != "" && !known || level && !f.levels {
		return fmt.Errorf("%s packages cannot be compressed with %q; leave it out, or use %s", f.name, o.Compression, strings.Join(f.compressions, ", "))
	}
	return nil
}

// output keeps the first error of a writer: a library may lose one.
type output struct {
	to  io.Writer
	err error
}

func (o *output) Write(b []byte) (int, error) {
	if o.err != nil {
		return 0, o.err
	}
	n, err := o.to.Write(b)
	o.err = err
	return n, err
}
