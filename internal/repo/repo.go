// Package repo is a signed package repository that apt and dnf install from: a
// directory, a bucket or another machine's directory, behind any web server.
//
// Start at [Init] and [Publish] to write one, at [Open] to read one. The verbs
// that change one all go the same way: packages and what is wished → the next
// state of each root ([apt.Suite], [yum.Repository]) → one [publication] →
// storage.
//
// A repository is this tree:
//
//	key.asc                                   public keys that hosts trust
//	dists/SUITE/InRelease                     the signed root for apt: names every index by its SHA256
//	dists/SUITE/main/binary-ARCH/…            Packages, also .gz and .zst, also by-hash; Contents beside
//	pool/main/PREFIX/NAME/….deb               packages, shared by all suites
//	yum/SUITE/ARCH/repodata/repomd.xml        the signed root for dnf: names every index by its SHA256
//	yum/SUITE/ARCH/Packages/…                 packages, signed
//
// The roots and the indexes that they name are the database: there is no other.
// Replacing a root is the one moment in which a publication happens; all that
// it needs is in place and durable before. A reader that holds an older root
// still finds the indexes of that one, and packages never change. So readers
// need no lock, and a process killed at any point leaves the repository that
// was or the one that was to be.
package repo

import (
	"errors"

	"github.com/kinectl/kinectl/internal/repo/apt"
	"github.com/kinectl/kinectl/internal/repo/index"
	"github.com/kinectl/kinectl/internal/repo/signing"
)

// Entry is one package of a suite.
type Entry = index.Entry

// DefaultSuite is the suite when none is named.
const DefaultSuite = "stable"

// DefaultOrigin is the Origin field of a repository when none is given to
// [Init]; hosts pin by it.
const DefaultOrigin = "kinectl"

// Errors that callers tell apart with errors.Is.
var (
	// ErrNotFound: the package or version is not there. The message names the
	// versions that are.
	ErrNotFound = errors.New("not in the repository")
	// ErrSignature: a root is not signed by the trusted key.
	ErrSignature = signing.ErrSignature
	// ErrDamaged: a file is not the one that the signed root names.
	ErrDamaged = apt.ErrDamaged
	// ErrNotRepository: there is no repository, or no such suite, at the place.
	ErrNotRepository = errors.New("not a package repository")
	// ErrRefused: a package that the repository does not take.
	ErrRefused = errors.New("refused")
	// ErrMissing: a version is in use that the repository does not have.
	ErrMissing = errors.New("in use but not in the repository")
	// ErrUsage: a name or a key type that no repository can have.
	ErrUsage = errors.New("wrong usage")
	// ErrNoKey: the private key is not where it was looked for.
	ErrNoKey = signing.ErrNoKey
)

// ErrNoTrust: what a web server offers proves nothing about itself.
var ErrNoTrust = errors.New("no public key to check it with")

// tagged is an error that is also kind, whose text it does not repeat.
type tagged struct{ kind, cause error }

func (t *tagged) Error() string   { return t.cause.Error() }
func (t *tagged) Unwrap() []error { return []error{t.kind, t.cause} }

// refused marks the faults of what a verb was given.
func refused(err error) error { return &tagged{ErrRefused, err} }

// checkSuite keeps suite names from leaving their directory or their line.
func checkSuite(suite string) error {
	if err := apt.CheckSuite(suite); err != nil {
		return &tagged{ErrUsage, err}
	}
	return nil
}
