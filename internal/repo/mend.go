package repo

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/kinectl/kinectl/internal/repo/apt"
	"github.com/kinectl/kinectl/internal/repo/signing"
	"github.com/kinectl/kinectl/internal/repo/storage"
)

const maxRoot = 16 << 20 // bytes of a root or its signature

// mend finishes what a killed process left half-way: files for old clients and
// signatures beside the roots that are those of another state. Where nothing
// is wrong it writes nothing.
func (s *session) mend(ctx context.Context, st *state) error {
	if err := s.store.Put(ctx, st.apt.FixedFiles(true)); err != nil { // those that are right stay as they are
		return err
	}
	whole, err := wholeApt(ctx, s.store, st.suite, s.trusted, s.now)
	if err != nil {
		return err
	}
	if !whole {
		p, err := s.next(ctx, st, change{apt: &apt.Change{Now: s.now}})
		if err != nil {
			return err
		}
		if err := s.commit(ctx, p); err != nil {
			return err
		}
	}
	for arch := range st.yum {
		if err := s.mendYum(ctx, "yum/"+st.suite+"/"+arch+"/repodata/"); err != nil {
			return err
		}
	}
	return nil
}

// wholeApt tells whether Release and its signature are what InRelease says.
func wholeApt(ctx context.Context, r storage.Reader, suite string, trusted signing.Keyring, now time.Time) (bool, error) {
	dir := "dists/" + suite + "/"
	inRelease, err := r.Get(ctx, dir+"InRelease", maxRoot)
	if err != nil {
		return false, err
	}
	text, err := trusted.Open(inRelease, now)
	if err != nil {
		return false, err
	}
	release, err := r.Get(ctx, dir+"Release", maxRoot)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	detached, err := r.Get(ctx, dir+"Release.gpg", maxRoot)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return string(release) == text && trusted.Verify(release, detached, now) == nil, nil
}

// mendYum puts the signature beside the root that it belongs to.
func (s *session) mendYum(ctx context.Context, dir string) error {
	root, err := s.store.Get(ctx, dir+"repomd.xml", maxRoot)
	if err != nil {
		return err
	}
	beside, err := s.store.Get(ctx, dir+"repomd.xml.asc", maxRoot)
	if err == nil && s.trusted.Verify(root, beside, s.now) == nil {
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	signature, err := s.store.Get(ctx, dir+digestOf(root)+"-repomd.xml.asc", maxRoot)
	if err != nil {
		return err
	}
	return s.store.PutRoots(ctx, []storage.File{storage.Bytes(dir+"repomd.xml.asc", signature)})
}
