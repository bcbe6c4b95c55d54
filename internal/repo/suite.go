package repo

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"
)

// suite is one state of a suite: what its InRelease vouches for.
type suite struct {
	release   release
	text      string // of the Release file
	inRelease []byte // text, signed
	indexes   indexes
}

// indexFile is one index with its content.
type indexFile struct {
	path string // relative to the suite
	body []byte
}

// loadSuite reads the state that InRelease names: the signature first, then
// each index by the digest that the signed text gives. Indexes are read under
// their by-hash names, so a publication that happens meanwhile does no harm.
func loadSuite(ctx context.Context, t tree, name string, trusted keyring, now time.Time) (*suite, error) {
	if err := checkSuite(name); err != nil {
		return nil, err
	}
	inRelease, err := t.get(ctx, suitePath(name, "InRelease"), maxRelease)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("suite %s: %w: %w", name, ErrNotRepository, err)
	}
	if err != nil {
		return nil, fmt.Errorf("suite %s: %w", name, err)
	}
	text, err := trusted.open(inRelease, now)
	if err != nil {
		return nil, fmt.Errorf("suite %s: InRelease: %w", name, err)
	}
	s := &suite{text: text, inRelease: inRelease, indexes: indexes{}}
	if s.release, err = parseRelease(text); err != nil {
		return nil, fmt.Errorf("suite %s: InRelease: %w", name, err)
	}
	if s.release.suite != name { // the signed root of one suite in the place of another's
		return nil, fmt.Errorf("suite %s: InRelease is that of suite %s: %w", name, s.release.suite, ErrDamaged)
	}
	for _, arch := range s.release.architectures {
		body, err := s.index(ctx, t, indexPath(arch, ""))
		if err == nil {
			s.indexes[arch], err = parseIndex(body)
		}
		if err != nil {
			return nil, fmt.Errorf("suite %s, architecture %s: %w", name, arch, err)
		}
	}
	return s, nil
}

// index returns one index file of this state, checked.
func (s *suite) index(ctx context.Context, t tree, path string) ([]byte, error) {
	f, found := s.release.file(path)
	if !found || f.size > maxIndex {
		return nil, fmt.Errorf("InRelease does not name %s: %w", path, ErrDamaged)
	}
	return getChecked(ctx, t, suitePath(s.release.suite, byHashPath(path, f.sha256)), f.size, f.sha256)
}

// files returns every index file of this state, as it was published.
func (s *suite) files(ctx context.Context, t tree) ([]indexFile, error) {
	var files []indexFile
	for _, f := range s.release.files {
		body, err := s.index(ctx, t, f.path)
		if err != nil {
			return nil, err
		}
		files = append(files, indexFile{f.path, body})
	}
	return files, nil
}

// next is the state that follows this one with other indexes, still to be
// signed, and its index files. The receiver is left as it was.
func (s *suite) next(x indexes, now time.Time) (*suite, []indexFile, error) {
	r := s.release
	r.architectures = x.architectures()
	r.files = nil
	var files []indexFile
	for _, arch := range r.architectures {
		plain := renderIndex(x[arch])
		packed, err := gzipped(plain)
		if err != nil {
			return nil, nil, err
		}
		files = append(files, indexFile{indexPath(arch, ""), plain}, indexFile{indexPath(arch, ".gz"), packed})
	}
	for _, f := range files {
		r.files = append(r.files, releaseFile{f.path, int64(len(f.body)), digest(f.body)})
	}
	slices.SortFunc(r.files, func(a, b releaseFile) int { return cmp.Compare(a.path, b.path) })
	// A clock that was set back must not make apt take the new root for an
	// older one and ignore it.
	if now = now.UTC().Truncate(time.Second); now.After(r.date) {
		r.date = now
	}
	return &suite{release: r, text: string(r.render()), indexes: x}, files, nil
}

func digest(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}
