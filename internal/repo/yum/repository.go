package yum

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/kinectl/kinectl/internal/repo/index"
	"github.com/kinectl/kinectl/internal/repo/signing"
	"github.com/kinectl/kinectl/internal/repo/storage"
	"github.com/kinectl/kinectl/internal/version"
)

// maxRoot bounds repomd.xml and its signature, in bytes. They have 2 KB.
const maxRoot = 1 << 20

// Repository is one state of the packages of one architecture in one suite,
// with the packages that fit every architecture. Nothing changes it, and its
// methods may be called at the same time.
type Repository struct {
	suite, arch string
	now         time.Time // dates the signature
	root        repomd
	body        []byte // repomd.xml; nil for a new repository
	lists       [kinds]*list
	changed     [kinds]bool // since the state before
}

// New is an empty repository, which has no root until something is applied.
func New(suite, arch string) *Repository {
	r := &Repository{suite: suite, arch: arch, root: repomd{repo: suite + "/" + arch}}
	for kind := range kinds {
		r.lists[kind] = &list{kind: kind, text: index.New(layout(kind))}
	}
	return r
}

// Load reads the root of a repository, and the lists when they are asked for.
// What trusted has not signed is an error that wraps signing.ErrSignature; no
// repository at all is fs.ErrNotExist.
func Load(ctx context.Context, from storage.Reader, suite, arch string, trusted signing.Keyring, now time.Time) (*Repository, error) {
	r := New(suite, arch)
	r.now = now
	dir := directory(suite, arch)
	fail := func(err error) (*Repository, error) { return nil, fmt.Errorf("read %srepodata: %w", dir, err) }

	body, err := from.Get(ctx, dir+"repodata/repomd.xml", maxRoot)
	if err != nil {
		return fail(err)
	}
	if err := verify(ctx, from, dir, body, trusted, now); err != nil {
		return fail(err)
	}
	root, err := parseRepomd(body)
	if err != nil {
		return fail(fmt.Errorf("repomd.xml: %w: %w", ErrDamaged, err))
	}
	if root.repo != r.root.repo {
		return fail(fmt.Errorf("repomd.xml: %w: it was signed for %q", ErrDamaged, root.repo))
	}
	r.root, r.body = root, body
	for kind, d := range root.data {
		r.lists[kind] = &list{kind: kind, data: d, from: from, name: dir + d.name(kind)}
	}
	return r, nil
}

// verify checks the signature of the root. A publication replaces repomd.xml
// and then repomd.xml.asc; who reads in between finds the signature that fits
// under the digest of what it has read.
func verify(ctx context.Context, from storage.Reader, dir string, body []byte, trusted signing.Keyring, now time.Time) error {
	var faults []error
	for _, name := range []string{"repomd.xml.asc", sum(body) + "-repomd.xml.asc"} {
		signature, err := from.Get(ctx, dir+"repodata/"+name, maxRoot)
		if err == nil {
			err = trusted.Verify(body, signature, now)
		}
		switch {
		case err == nil:
			return nil
		case errors.Is(err, fs.ErrNotExist):
			// Without a signature, there is none that holds.
			err = fmt.Errorf("%w: there is none", signing.ErrSignature)
		}
		faults = append(faults, fmt.Errorf("%s: %w", name, err))
	}
	return faults[0]
}

// Revised is when the repository was last changed; zero for a new one.
func (r *Repository) Revised() time.Time {
	if r.root.revision == 0 {
		return time.Time{}
	}
	return time.Unix(r.root.revision, 0).UTC()
}

// Count is the number of packages.
func (r *Repository) Count(ctx context.Context) (int, error) {
	text, _, err := r.lists[primary].load(ctx)
	if err != nil {
		return 0, err
	}
	return text.Count(), nil
}

// Find returns one package by its name, its [epoch:]version-release and its
// architecture, which may be noarch. It reads one block of one list.
func (r *Repository) Find(ctx context.Context, name, version, arch string) (index.Entry, bool, error) {
	text, _, err := r.lists[primary].load(ctx)
	if err != nil {
		return index.Entry{}, false, err
	}
	record, found, err := text.Get(index.Key(name, version, arch))
	if err != nil || !found {
		return index.Entry{}, false, err
	}
	e, err := r.entry(record)
	return e, err == nil, err
}

// Versions returns the packages of one name in rpm's order of versions, oldest
// first.
func (r *Repository) Versions(ctx context.Context, name string) ([]index.Entry, error) {
	entries, err := r.entries(ctx, name+" ", name+"!")
	slices.SortStableFunc(entries, func(a, b index.Entry) int { return version.CompareRPM(a.Version, b.Version) })
	return entries, err
}

// Entries returns all packages, in the order of their keys.
func (r *Repository) Entries(ctx context.Context) ([]index.Entry, error) {
	return r.entries(ctx, "", "")
}

func (r *Repository) entries(ctx context.Context, from, to string) ([]index.Entry, error) {
	text, _, err := r.lists[primary].load(ctx)
	if err != nil {
		return nil, err
	}
	var entries []index.Entry
	for record, err := range text.Range(from, to) {
		if err != nil {
			return nil, fmt.Errorf("primary: %w", err)
		}
		e, err := r.entry(record)
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, nil
}

func (r *Repository) entry(record []byte) (index.Entry, error) {
	e, err := parseEntry(record, directory(r.suite, r.arch))
	if err != nil {
		return e, fmt.Errorf("primary: %w: %w", ErrDamaged, err)
	}
	return e, nil
}
