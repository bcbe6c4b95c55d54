// Package yum makes and reads the yum half of a package repository: the
// directories yum/SUITE/ARCH/ that dnf, yum and zypper take as a baseurl.
//
// Start at [Repository]: [New] or [Load] gives a state of one such directory,
// [Repository.Apply] the state after a change, and [Repository.IndexFiles] and
// [Repository.Sign] what has to be written for it, in this order. Nothing here
// writes a file.
//
// The root is repodata/repomd.xml with a signature in repomd.xml.asc. It names,
// by digest, three lists of XML records, one record a package: primary (what
// dnf resolves with), filelists (all files) and other (changelogs). The format
// is what createrepo_c writes; there is no other description of it. Each list
// is an [index.Text]: sorted, and compressed in blocks.
package yum

import (
	"errors"
	"strings"
	"time"

	"github.com/kinectl/kinectl/internal/repo/index"
	"github.com/kinectl/kinectl/internal/repo/rpmfile"
)

const format = "rpm" // index.Entry.Format

var (
	// ErrConflict: a package cannot join beside what is there.
	ErrConflict = errors.New("conflicts with a published package")
	// ErrDamaged: a file is not what the signed root says, or not readable.
	ErrDamaged = errors.New("damaged")
)

// Package is one package that joins a repository.
type Package struct {
	// Entry describes the file as hosts get it, below "yum/SUITE/ARCH/": see
	// [Filename]. Published is when it joins.
	Entry index.Entry
	// RPM is the rest of the metadata. It may have been read from the same
	// package under another signature, for there is nothing in it that a
	// signature changes but the place of the header, which is not used.
	RPM *rpmfile.Package
	// HeaderStart and HeaderEnd are where the header lies in the file of Entry:
	// dnf reads it from there.
	HeaderStart, HeaderEnd int64
}

// Change leads from one state of a repository to the next.
type Change struct {
	Add []Package
	// Remove is done before Add: the same package may be in both, to replace
	// it. What is not there is ignored.
	Remove []index.Entry
	Now    time.Time // dates the root and its signature
}

// Filename is where the file of e lies, relative to the repository. keyID is
// the last 16 hexadecimal digits of the fingerprint of the key that signed it:
// the same package under another key is another file, under another name.
func Filename(suite, arch, keyID string, e index.Entry) string {
	_, version, release := splitVersion(e.Version)
	letter := strings.ToLower(e.Name[:min(1, len(e.Name))])
	return directory(suite, arch) + "Packages/" + strings.ToLower(keyID) + "/" + letter + "/" + e.Name + "/" +
		e.Name + "-" + version + "-" + release + "." + e.Architecture + ".rpm"
}

// directory is what a baseurl points to, with a slash at its end.
func directory(suite, arch string) string { return "yum/" + suite + "/" + arch + "/" }
