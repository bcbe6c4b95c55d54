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
	"context"
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
	// Secret is for a program with a password in it: nobody but root and the service's group may read it.
	Secret bool
	Files  []File
	SBOM   []byte // CycloneDX, in JSON; nil for none
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
	distributions []string       // whose packages these are; the beginnings of Options.Distribution
	compressions  []string       // the default first
	levels        map[string]int // highest level of the compressions that may have one, from 1
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

// CheckCompression returns an error when a format cannot be compressed in a
// way: "gzip", or with a level "zstd:19". It says what can be.
func CheckCompression(name, compression string) error {
	f, err := find(name)
	if err != nil {
		return err
	}
	return f.checkCompression(compression)
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
//
// When ctx is done Write returns at once and touches w no more. The library
// that compresses cannot be stopped: what it has begun goes on in memory, until
// it is finished or the program ends.
func Write(ctx context.Context, name string, c Contents, o Options, w io.Writer) error {
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
	if err := packUntil(ctx, f.packager, info, w); err != nil {
		return fault(err)
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
	return f.checkCompression(o.Compression)
}
