// Package rpmfile reads, checks and signs rpm packages, in the format that
// rpm 4.0 to 4.20 write by default (lead version 3, header version 4).
//
// Start at [Read], which checks a whole package against the digests that it
// carries and returns its fields as a [Package]; [Package.Signed] is the same
// package under a signature of ours.
//
// The format is rpm's own: docs/manual/format_v4.md of rpm, and chapter 22.2
// of the Linux Standard Base core 5.0.
package rpmfile

import (
	"io"
	"strconv"
	"time"
)

// Source is where a package is read from: a bytes.Reader, an io.SectionReader.
type Source interface {
	io.ReaderAt
	Size() int64 // bytes
}

// Package is one binary package, opened by [Read]. Its fields are what the
// package says, in rpm's words; a text that is not UTF-8 was read as Latin-1.
// Nobody changes them. Its methods may be called at the same time.
type Package struct {
	Name, Version, Release, Arch string
	Epoch                        uint32 // 0 when the package has none: rpm takes them for one

	Summary, Description, License, URL string
	Vendor, Group, Packager            string
	BuildHost                          string
	SourceRPM                          string // the file name of the source package
	BuildTime                          time.Time

	InstalledSize int64 // bytes of its files, as rpm counts them
	ArchiveSize   int64 // bytes of the payload when it is not compressed; 0 when the package does not say

	// Dependencies in the package's order, with all that rpm put there by
	// itself: "rpmlib(…)" and such.
	Provides, Requires, Conflicts, Obsoletes    []Dependency
	Recommends, Suggests, Supplements, Enhances []Dependency

	Files      []File
	Changelogs []Changelog // newest first, as in the package

	source      Source
	headerStart int64 // where the header starts in source
	headerEnd   int64 // where the payload starts
	identity    string
	covered     bool    // the header has a digest of the payload
	md5         []byte  // of header and payload
	keep        []value // of the signature header, for the next one
}

// Dependency is one relation to another package, by name or by capability. A
// rich dependency, "(a or b)", is a Name and nothing else.
type Dependency struct {
	Name    string
	Compare Compare
	// Epoch, Version and Release are parts of "[epoch:]version[-release]".
	// Epoch is empty where the package says none.
	Epoch, Version, Release string
	// Pre: needed before the package's own scripts run.
	Pre bool
}

// String is the dependency as rpm shows it: "bash >= 5".
func (d Dependency) String() string {
	evr := d.Version
	if d.Epoch != "" {
		evr = d.Epoch + ":" + evr
	}
	if d.Release != "" {
		evr += "-" + d.Release
	}
	operators := map[Compare]string{Less: "<", Greater: ">", Equal: "=", LessEqual: "<=", GreaterEqual: ">="}
	if operator := operators[d.Compare]; operator != "" && evr != "" {
		return d.Name + " " + operator + " " + evr
	}
	return d.Name
}

// Compare is how a dependency compares versions.
type Compare byte

const (
	Any Compare = 0 // no version is asked for
	// The bits that rpm has in the flags of a dependency, RPMSENSE_….
	Less         Compare = 2
	Greater      Compare = 4
	Equal        Compare = 8
	LessEqual            = Less | Equal
	GreaterEqual         = Greater | Equal
)

// String is the word of repository metadata: LT, GT, EQ, LE, GE, or empty.
func (c Compare) String() string {
	switch c {
	case Less:
		return "LT"
	case Greater:
		return "GT"
	case Equal:
		return "EQ"
	case LessEqual:
		return "LE"
	case GreaterEqual:
		return "GE"
	}
	return ""
}

// File is one path that the package owns.
type File struct {
	Path string // absolute; a directory has no slash at its end
	Kind FileKind
}

// FileKind is what repository metadata tells files apart by.
type FileKind byte

const (
	Regular FileKind = iota // whatever is neither of the others: links, devices
	Directory
	Ghost // owned, but not in the payload; a directory is Directory all the same
)

// String is the word of repository metadata: file, dir or ghost.
func (k FileKind) String() string { return [...]string{"file", "dir", "ghost"}[k] }

// Changelog is one entry of what the packager noted.
type Changelog struct {
	Time   time.Time
	Author string
	Text   string
}

// EVR is [epoch:]version-release, without an epoch of 0.
func (p *Package) EVR() string {
	evr := p.Version + "-" + p.Release
	if p.Epoch > 0 {
		evr = strconv.FormatUint(uint64(p.Epoch), 10) + ":" + evr
	}
	return evr
}

// Identity is the SHA-256 of header and payload, lower-case hexadecimal: the
// same for every signature of the package, and another for any other change.
func (p *Package) Identity() string { return p.identity }

// Size is the package's size in bytes, as it was read.
func (p *Package) Size() int64 { return p.source.Size() }

// HeaderRange is where the header starts and ends in the file that was read.
func (p *Package) HeaderRange() (start, end int64) { return p.headerStart, p.headerEnd }
