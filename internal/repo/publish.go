package repo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/kinectl/kinectl/internal/repo/apt"
	"github.com/kinectl/kinectl/internal/repo/index"
	"github.com/kinectl/kinectl/internal/repo/storage"
	"github.com/kinectl/kinectl/internal/repo/yum"
)

// Published is one package after [Publish] or [Promote].
type Published struct {
	Entry
	New bool `json:"new"` // false: it was there, with the same content
}

// Publish adds package files, Debian's and rpm's, to a suite of the repository
// at location. A directory among files stands for the packages in and below it. apt sees
// all of them at one moment or none, and so does dnf. It is safe to run many at
// once, and to kill.
//
// A damaged or invalid file, and a version that is there with other content,
// are ErrRefused; every such fault is in the error. A file that is there
// already is no fault and changes nothing. What a killed publisher left
// half-way is mended, also when there is nothing new. An rpm package gets the
// repository's signature in the place of its own.
func Publish(ctx context.Context, location string, files []string, o Options) (_ []Published, err error) {
	o = o.withDefaults()
	defer func() {
		if err != nil {
			err = fmt.Errorf("publish to %s: %w", Shown(location), err)
		}
	}()
	if err := checkSuite(o.Suite); err != nil {
		return nil, err
	}
	s, err := open(ctx, location, o)
	if err != nil {
		return nil, err
	}
	defer s.close()
	if files, err = packageFiles(files); err != nil {
		return nil, err
	}
	packages, err := readPackages(ctx, files) // before the lock: it takes the longest
	if err != nil {
		return nil, err
	}
	if err := s.signPackages(ctx, packages); err != nil {
		return nil, err
	}
	signer := s.signers[0].Fingerprint()
	var published []Published
	err = s.locked(ctx, func(ctx context.Context) error {
		if s.signers[0].Fingerprint() != signer {
			if err := s.signPackages(ctx, packages); err != nil {
				return err
			}
		}
		published, err = s.add(ctx, o.Suite, packages)
		return err
	})
	return published, err
}

// add brings packages into a suite.
func (s *session) add(ctx context.Context, suite string, packages []pkg) ([]Published, error) {
	st, err := s.load(ctx, suite)
	if err != nil {
		return nil, err
	}
	a, err := s.newAddition(ctx, st, len(packages))
	if err != nil {
		return nil, err
	}
	var faults []error
	if err := a.joinArchitectures(ctx, packages); err != nil {
		return nil, err
	}
	for _, p := range packages {
		switch {
		case p.deb != nil:
			err = a.addDeb(ctx, p)
		default:
			err = a.addRPM(ctx, p)
		}
		if errors.Is(err, ErrRefused) {
			faults = append(faults, err)
		} else if err != nil {
			return nil, err
		}
	}
	if len(faults) > 0 {
		return nil, refused(errors.Join(faults...))
	}
	p, err := s.next(ctx, st, a.change)
	if errors.Is(err, apt.ErrConflict) || errors.Is(err, yum.ErrConflict) {
		return nil, refused(err)
	}
	if err != nil {
		return nil, err
	}
	p.pool = a.pool
	old := false
	for _, one := range a.published {
		old = old || !one.New
	}
	p.current = append(p.current, a.files...)
	if err := s.commit(ctx, p); err != nil {
		return nil, err
	}
	if old { // who publishes again may do so because a publisher was killed
		err = s.mend(ctx, st)
	}
	return a.published, err
}

func (a *addition) addDeb(ctx context.Context, p pkg) error {
	add := *p.deb
	add.Entry.Published = a.now
	e := add.Entry
	if !fs.ValidPath(e.Filename) {
		return refused(fmt.Errorf("%s %s: no file name can be made of that", e.Name, e.Version))
	}
	old, found, err := a.findDeb(ctx, e)
	if err != nil {
		return err
	}
	isNew := !found || old.SHA256 != e.SHA256
	if isNew {
		if a.change.apt == nil {
			a.change.apt = &apt.Change{Now: a.now}
		}
		if !a.added[e] {
			a.change.apt.Add = append(a.change.apt.Add, add)
			a.added[e] = true
		}
	}
	a.publish(e, isNew)
	return a.placeDeb(ctx, p, e, found)
}

// placeDeb puts the file into the pool, unless it is there.
func (a *addition) placeDeb(ctx context.Context, p pkg, e index.Entry, listed bool) error {
	a.files = append(a.files, e.Filename)
	if p.stored != "" {
		return nil
	}
	sum, err := a.digest(ctx, e.Filename)
	if err != nil || sum == e.SHA256 {
		return err
	}
	if sum != "" && !listed {
		if err := a.checkName(ctx, e); err != nil {
			return err
		}
	}
	a.pool = append(a.pool, storage.File{Name: e.Filename, Size: e.Size, Open: p.open})
	return nil
}

// checkName refuses a package whose file is in the pool with other content,
// because another suite has that version or clients may still fetch it. A file
// that nothing names is what a killed publisher left, and may be replaced.
func (a *addition) checkName(ctx context.Context, e index.Entry) error {
	if a.expired.has(e.Filename) {
		return refused(fmt.Errorf("%s %s %s was there with other content and has just been removed; a published version never changes", e.Name, e.Version, e.Architecture))
	}
	for _, name := range a.others {
		other, err := a.otherApt(ctx, name)
		if err != nil {
			return err
		}
		versions, err := other.Versions(ctx, e.Name)
		if err != nil {
			return err
		}
		for _, old := range versions {
			if old.Filename == e.Filename && old.SHA256 != e.SHA256 {
				return refused(fmt.Errorf("suite %s: %s %s %s is there with other content; a published version never changes", name, old.Name, old.Version, old.Architecture))
			}
		}
	}
	return nil
}
