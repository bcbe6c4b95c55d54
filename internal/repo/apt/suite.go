package apt

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/kinectl/kinectl/internal/repo/index"
	"github.com/kinectl/kinectl/internal/repo/signing"
	"github.com/kinectl/kinectl/internal/repo/storage"
)

// Suite is one state of a suite: what its InRelease vouches for. Nothing
// changes it, and its methods may be called at the same time. Lists are read
// when they are first needed, and then kept.
type Suite struct {
	release            Release
	text               []byte // of the Release file; nil for a new suite
	now                time.Time
	from               source
	packages, contents map[string]*list // by architecture
	fresh              []freshFile
}

// freshFile is an index file that Apply made.
type freshFile struct {
	File
	body index.Body
}

// NewSuite is an empty suite for amd64 and arm64, which has no root until
// something is applied; other architectures come with their first package.
// Origin is what hosts pin by.
func NewSuite(origin, suite string) *Suite {
	return newSuite(Release{Origin: origin, Suite: suite, Architectures: []string{"amd64", "arm64"}}, source{})
}

func newSuite(r Release, from source) *Suite {
	s := &Suite{release: r, from: from, packages: map[string]*list{}, contents: map[string]*list{}}
	for _, arch := range r.Architectures {
		s.packages[arch], s.contents[arch] = newPackages(arch, from), newContents(arch, from)
	}
	return s
}

// Load reads and checks InRelease and nothing else. What trusted has not signed
// is an error that wraps signing.ErrSignature; no such suite is fs.ErrNotExist,
// and anything else that is wrong with it ErrDamaged.
func Load(ctx context.Context, r storage.Reader, suite string, trusted signing.Keyring, now time.Time) (*Suite, error) {
	fail := func(err error) (*Suite, error) { return nil, fmt.Errorf("read suite %s: %w", suite, err) }
	if err := CheckSuite(suite); err != nil {
		return nil, err
	}
	signed, err := r.Get(ctx, suitePath(suite, "InRelease"), maxRelease)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fail(fmt.Errorf("there is none at %s: %w", r, fs.ErrNotExist))
	case errors.Is(err, storage.ErrTooLong):
		return fail(&kind{ErrDamaged, fmt.Errorf("InRelease: %w", err)})
	case err != nil:
		return fail(err)
	}
	text, err := trusted.Open(signed, now)
	if err != nil {
		return fail(fmt.Errorf("InRelease: %w", err))
	}
	release, err := parseRelease(text)
	if err != nil {
		return fail(&kind{ErrDamaged, fmt.Errorf("InRelease: %w", err)})
	}
	if release.Suite != suite { // the signed root of one suite in the place of another's
		return fail(fmt.Errorf("InRelease is that of suite %s: %w", release.Suite, ErrDamaged))
	}
	s := newSuite(release, source{r, release})
	s.text, s.now = []byte(text), now
	for _, arch := range release.Architectures {
		if !s.has(s.packages[arch]) {
			return fail(fmt.Errorf("InRelease names no Packages for %s: %w", arch, ErrDamaged))
		}
	}
	return s, nil
}

// has tells whether the root names a list.
func (s *Suite) has(l *list) bool {
	_, found := s.release.File(l.path)
	return found
}

// Release is what the root says. The caller must not change its slices.
func (s *Suite) Release() Release { return s.release }
