// Package apt makes and reads the apt half of a package repository: the
// directories dists/SUITE/ that name the packages in pool/.
//
// Start at [Suite]: [NewSuite] or [Load] gives one state of a suite,
// [Suite.Apply] the state after a change, and [Suite.IndexFiles],
// [Suite.FixedFiles] and [Suite.Sign] what has to be written for it, in this
// order. Nothing here writes a file.
//
// The root is InRelease: it is signed and names every index by its SHA-256. For
// every architecture there is Packages, one stanza a package, and Contents, one
// line a file. Both are an [index.Text]: sorted, and compressed in blocks, so
// that a change costs little however long they are. The format is Debian's
// (https://wiki.debian.org/DebianRepository/Format).
//
// A package of architecture "all" is in the indexes of every architecture.
// Contents tells the files of the newest version of every name, as a host
// would install it.
package apt

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/kinectl/kinectl/internal/lazyregexp"
)

// Component is the only one that suites have.
const Component = "main"

const (
	format  = "deb" // index.Entry.Format
	archAll = "all"

	maxRelease = 16 << 20  // bytes of InRelease
	maxIndex   = 512 << 20 // bytes of one index: about 800,000 packages
)

var (
	// ErrConflict: a package cannot join beside what is there.
	ErrConflict = errors.New("conflicts with a published package")
	// ErrDamaged: a file is not the one that the signed root names.
	ErrDamaged = errors.New("not the file that the repository signed")
)

// kind marks an error as one of those above without repeating its text.
type kind struct{ is, cause error }

func (k *kind) Error() string   { return k.cause.Error() }
func (k *kind) Unwrap() []error { return []error{k.is, k.cause} }

// PoolPath is the place of a package in the repository, by Debian's custom:
// sorted by first letter (libfoo under libf), the epoch left out of the name.
func PoolPath(name, version, arch string) string {
	prefix := name[:min(1, len(name))]
	if strings.HasPrefix(name, "lib") && len(name) > 3 {
		prefix = name[:4]
	}
	return path.Join("pool", Component, prefix, name, name+"_"+withoutEpoch(version)+"_"+arch+".deb")
}

func withoutEpoch(version string) string {
	if _, after, found := strings.Cut(version, ":"); found {
		return after
	}
	return version
}

// suitePath is a file of a suite, relative to the repository.
func suitePath(suite, file string) string { return path.Join("dists", suite, file) }

// byHashPath is an index under its content's name, relative to the suite.
func byHashPath(index, sha256 string) string {
	return path.Join(path.Dir(index), "by-hash", "SHA256", sha256)
}

var (
	suitePattern  = lazyregexp.New(`^[a-z][a-z0-9.-]{0,62}$`)
	archPattern   = lazyregexp.New(`^[a-z0-9][a-z0-9-]{0,62}$`)
	originPattern = lazyregexp.New(`^[A-Za-z0-9][A-Za-z0-9._+ -]{0,62}$`)
)

// CheckSuite keeps suite names from leaving their directory or their line.
func CheckSuite(suite string) error {
	if !suitePattern.MatchString(suite) {
		return fmt.Errorf("suite %q: a suite is a lower-case letter, then letters, digits, dots and hyphens", suite)
	}
	return nil
}

// CheckOrigin keeps an origin to what a field of Release and a line of apt's
// preferences both take; a comma would end the value there.
func CheckOrigin(origin string) error {
	if !originPattern.MatchString(origin) || strings.HasSuffix(origin, " ") {
		return fmt.Errorf("origin %q: use up to 63 letters, digits, spaces and . _ + -, starting with a letter or digit", origin)
	}
	return nil
}
