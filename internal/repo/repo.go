// Package repo is a signed package repository that apt installs from: a
// directory, or the same directory behind a web server.
//
// Start at [Init] and [Publish] to write one, at [Open] to read one, and at
// [Serve] to offer one over HTTP. [ReadDeb] looks into a single package.
//
// A repository is this tree (Debian's RepositoryFormat):
//
//	key.asc                                   public key that signs the suites
//	dists/SUITE/InRelease                     the signed root: names every index by its SHA256
//	dists/SUITE/Release, Release.gpg          the same for clients without InRelease
//	dists/SUITE/main/binary-ARCH/Packages     one stanza a package; also .gz
//	dists/SUITE/main/binary-ARCH/by-hash/…    the same indexes under their SHA256
//	pool/main/PREFIX/NAME/NAME_VERSION_ARCH.deb
//
// InRelease and the by-hash file that it names are the database: there is no
// other. Replacing InRelease is the one moment in which a publication happens;
// all that it needs is in place and synced before. A reader that holds an older
// InRelease still finds the indexes of that one, and packages never change or
// go away. So readers need no lock, and a process killed at any point leaves
// the repository that was or the one that was to be.
package repo

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"
)

// DefaultSuite is the suite when none is named.
const DefaultSuite = "stable"

// DefaultOrigin is the Origin field of a repository when none is given to
// [Init]; hosts pin by it.
const DefaultOrigin = "kinectl"

const (
	component = "main"
	keyName   = "key.asc"
	lockName  = ".lock" // dotfiles are never served

	maxRelease = 16 << 20  // bytes of InRelease
	maxIndex   = 512 << 20 // bytes of one Packages: about 800,000 packages
)

// Errors that callers tell apart with errors.Is.
var (
	// ErrNotFound: the package or version is not there. The message names the
	// versions that are.
	ErrNotFound = errors.New("not in the repository")
	// ErrSignature: InRelease is not signed by the trusted key.
	ErrSignature = errors.New("the signature does not hold")
	// ErrDamaged: a file is not the one that the signed root names.
	ErrDamaged = errors.New("not the file that the repository signed")
	// ErrNotRepository: there is no repository, or no such suite, at the place.
	ErrNotRepository = errors.New("not a package repository")
	// ErrRefused: Publish was given a package that it does not take.
	ErrRefused = errors.New("refused")
	// ErrUsage: a name or a key type that no repository can have.
	ErrUsage = errors.New("wrong usage")
	// ErrNoKey: the private key is not where it was looked for.
	ErrNoKey = errors.New("the private key is missing")
)

// tagged is an error that is also kind, whose text it does not repeat.
type tagged struct{ kind, cause error }

func (t *tagged) Error() string   { return t.cause.Error() }
func (t *tagged) Unwrap() []error { return []error{t.kind, t.cause} }

var (
	suitePattern  = regexp.MustCompile(`^[a-z][a-z0-9.-]{0,62}$`)
	originPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+ -]{0,62}$`)
)

// checkSuite keeps suite names from leaving their directory or their line.
func checkSuite(suite string) error {
	if !suitePattern.MatchString(suite) {
		return &tagged{ErrUsage, fmt.Errorf("suite %q: a suite is a lower-case letter, then letters, digits, dots and hyphens", suite)}
	}
	return nil
}

// checkOrigin keeps an origin to what a field of Release and a line of apt's
// preferences both take; a comma would end the value there.
func checkOrigin(origin string) error {
	if !originPattern.MatchString(origin) || strings.HasSuffix(origin, " ") {
		return &tagged{ErrUsage, fmt.Errorf("origin %q: use up to 63 letters, digits, spaces and . _ + -, starting with a letter or digit", origin)}
	}
	return nil
}

// poolPath is the place of a package in the tree, by Debian's custom: sorted
// by first letter (libfoo under libf), the epoch left out of the file name.
func poolPath(name, version, arch string) string {
	prefix := name[:1]
	if strings.HasPrefix(name, "lib") && len(name) > 3 {
		prefix = name[:4]
	}
	return path.Join("pool", component, prefix, name, name+"_"+withoutEpoch(version)+"_"+arch+".deb")
}

func withoutEpoch(version string) string {
	if _, after, found := strings.Cut(version, ":"); found {
		return after
	}
	return version
}

// suitePath is a file of a suite, relative to the repository.
func suitePath(suite, file string) string { return path.Join("dists", suite, file) }

// indexPath is a Packages file as Release names it, relative to the suite.
func indexPath(arch, suffix string) string {
	return path.Join(component, "binary-"+arch, "Packages"+suffix)
}

// byHashPath is the same file under its content's name.
func byHashPath(index, sha256 string) string {
	return path.Join(path.Dir(index), "by-hash", "SHA256", sha256)
}
