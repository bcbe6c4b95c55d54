package apt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/kinectl/kinectl/internal/repo/signing"
	"github.com/kinectl/kinectl/internal/repo/storage"
)

// IndexFiles are the index files under their digests: those that Apply made, or
// with all everything that the root names. Of the latter, what was not changed
// is read from where the suite was loaded, and checked.
func (s *Suite) IndexFiles(all bool) []storage.File {
	var files []storage.File
	fresh := map[string]bool{}
	for _, f := range s.fresh {
		fresh[f.Path] = true
		files = append(files, storage.File{Name: s.hashName(f.File), Size: f.Size, Open: f.body.Open})
	}
	for _, f := range s.release.Files {
		if all && !fresh[f.Path] && isStored(f.Path) {
			files = append(files, storage.File{Name: s.hashName(f), Size: f.Size, Open: func() (io.ReadCloser, error) {
				body, err := s.from.get(context.Background(), f)
				return io.NopCloser(bytes.NewReader(body)), err
			}})
		}
	}
	return files
}

// FixedFiles are the same files under the names that do not change, for clients
// that do not read by digest.
func (s *Suite) FixedFiles(all bool) []storage.File {
	var files []storage.File
	for _, f := range s.release.Files {
		if isStored(f.Path) && (all || slices.ContainsFunc(s.fresh, func(n freshFile) bool { return n.Path == f.Path })) {
			files = append(files, storage.File{Name: suitePath(s.release.Suite, f.Path), Size: f.Size, LinkOf: s.hashName(f)})
		}
	}
	return files
}

// Names are all index files under their digests, relative to the repository and
// sorted: what has to stay while this state is the current one.
func (s *Suite) Names() []string {
	var names []string
	for _, f := range s.release.Files {
		if isStored(f.Path) {
			names = append(names, s.hashName(f))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Sign returns the root: Release, Release.gpg and InRelease, in the order in
// which they are to be replaced.
func (s *Suite) Sign(ctx context.Context, signers signing.Signers) ([]storage.File, error) {
	if s.text == nil {
		return nil, errors.New("sign a suite: nothing was applied to it")
	}
	var detached []byte
	var fault error
	var other sync.WaitGroup
	other.Go(func() { detached, fault = signers.Detach(ctx, s.text, s.now) }) // a signature takes milliseconds
	clear, err := signers.ClearSign(ctx, s.text, s.now)
	if other.Wait(); err == nil {
		err = fault
	}
	if err != nil {
		return nil, fmt.Errorf("sign suite %s: %w", s.release.Suite, err)
	}
	name := func(file string) string { return suitePath(s.release.Suite, file) }
	return []storage.File{
		storage.Bytes(name("Release"), s.text),
		storage.Bytes(name("Release.gpg"), detached),
		storage.Bytes(name("InRelease"), clear),
	}, nil
}

func (s *Suite) hashName(f File) string {
	return suitePath(s.release.Suite, byHashPath(f.Path, f.SHA256))
}

// isStored is false for the plain Contents, of which only the digest is kept.
func isStored(file string) bool {
	return !strings.HasPrefix(file, Component+"/Contents-") || path.Ext(file) != ""
}
