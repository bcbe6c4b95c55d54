package repo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Options are what [Init] and [Publish] need besides the repository.
type Options struct {
	Suite   string           // DefaultSuite when empty
	KeyFile string           // the private key; when empty, FINGERPRINT.asc in KeyDir
	KeyDir  string           // where private keys are kept, outside every repository
	Now     func() time.Time // time.Now when nil; dates the root
	// Step, when not nil, is called after every file that is written aside and
	// again when it is in its place. Tests stop the process there.
	Step func(name string)
}

func (o Options) withDefaults() Options {
	if o.Suite == "" {
		o.Suite = DefaultSuite
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Step == nil {
		o.Step = func(string) {}
	}
	return o
}

// Published is one package after [Publish].
type Published struct {
	Entry
	New bool `json:"new"` // false: it was there, with the same bytes
}

// Publish adds package files to a suite of the repository in dir: all of them
// at one moment, or none. It is safe to run many at once, and to kill.
//
// A damaged or invalid file, and a version that is there with other content,
// are ErrRefused; every such fault is in the error. A file that is there
// already is no fault and changes nothing. What a killed publisher left
// half-way is mended, also when there is nothing new.
func Publish(ctx context.Context, dir string, files []string, o Options) (_ []Published, err error) {
	o = o.withDefaults()
	defer func() {
		if err != nil {
			err = fmt.Errorf("publish to %s: %w", dir, err)
		}
	}()
	if err := checkSuite(o.Suite); err != nil {
		return nil, err
	}
	trusted, err := treeKeyring(ctx, dirTree(dir))
	if err != nil {
		return nil, err
	}
	key, err := o.signingKey(trusted)
	if err != nil {
		return nil, err
	}
	entries, err := readPackages(ctx, files) // before the lock: it takes the longest
	if err != nil {
		return nil, err
	}
	unlock, err := lock(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer unlock()

	w := writer{dir, o.Step}
	now := o.Now()
	prev, err := loadSuite(ctx, dirTree(dir), o.Suite, trusted, now)
	if err != nil {
		return nil, err
	}
	indexes, isNew, err := prev.indexes.with(entries)
	if err != nil {
		return nil, refused(err)
	}
	for i, e := range entries {
		if isNew[i] {
			if err := w.checkOtherSuites(ctx, e, o.Suite, trusted, now); err != nil {
				return nil, err
			}
		}
	}
	for i, e := range entries {
		if err := w.place(ctx, e, files[i]); err != nil {
			return nil, err
		}
	}
	if slices.Contains(isNew, true) {
		err = w.advance(ctx, prev, indexes, key, now)
	} else {
		err = w.mend(ctx, prev, trusted, key, now)
	}
	if err != nil {
		return nil, err
	}
	published := make([]Published, len(entries))
	for i, e := range entries {
		published[i] = Published{e, isNew[i]}
	}
	return published, nil
}

// advance signs and commits the state after prev.
func (w writer) advance(ctx context.Context, prev *suite, x indexes, key *Key, now time.Time) error {
	next, files, err := prev.next(x, now)
	if err != nil {
		return err
	}
	var releaseGPG []byte
	if next.inRelease, releaseGPG, err = key.sign([]byte(next.text), now); err != nil {
		return err
	}
	return w.commit(ctx, next, prev, files, releaseGPG, now)
}

// mend commits the state that is there once more.
func (w writer) mend(ctx context.Context, s *suite, trusted keyring, key *Key, now time.Time) error {
	files, err := s.files(ctx, dirTree(w.root))
	if err != nil {
		return err
	}
	releaseGPG, err := os.ReadFile(w.path(suitePath(s.release.suite, "Release.gpg")))
	if err != nil || !trusted.holds([]byte(s.text), releaseGPG, now) {
		if _, releaseGPG, err = key.sign([]byte(s.text), now); err != nil {
			return err
		}
	}
	return w.commit(ctx, s, nil, files, releaseGPG, now)
}

// checkOtherSuites refuses a package whose file is in the pool with other
// content because another suite has that version. A file that no suite names
// is what a killed publisher left, and may be replaced.
func (w writer) checkOtherSuites(ctx context.Context, e Entry, own string, trusted keyring, now time.Time) error {
	if sum, err := fileDigest(w.path(e.Filename)); err != nil || sum == e.SHA256 {
		return nil // whatever is wrong with the file comes out when it is written
	}
	names, err := w.suites()
	if err != nil {
		return err
	}
	for _, name := range names {
		if name == own {
			continue
		}
		other, err := loadSuite(ctx, dirTree(w.root), name, trusted, now)
		if err != nil {
			return err
		}
		for _, old := range other.indexes.all() {
			if old.Filename == e.Filename && old.SHA256 != e.SHA256 {
				return refused(fmt.Errorf("suite %s: %w", name, conflict(e, old)))
			}
		}
	}
	return nil
}

// readPackages reads and checks every file, and says all that is wrong.
func readPackages(ctx context.Context, files []string) ([]Entry, error) {
	var entries []Entry
	var faults []error
	for _, file := range files {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		e, err := readPackage(file)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", file, err))
		}
		entries = append(entries, e)
	}
	if len(faults) > 0 {
		return nil, refused(errors.Join(faults...))
	}
	return entries, nil
}

func readPackage(file string) (Entry, error) {
	f, err := os.Open(filepath.Clean(file))
	if err != nil {
		return Entry{}, errors.Unwrap(err) // the caller names the file
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Entry{}, err
	}
	if !info.Mode().IsRegular() {
		return Entry{}, errors.New("not a regular file")
	}
	d, err := ReadDeb(io.NewSectionReader(f, 0, info.Size()))
	if err != nil {
		return Entry{}, err
	}
	if err := d.Check(); err != nil {
		return Entry{}, err
	}
	sum, err := fileDigest(file)
	if err != nil {
		return Entry{}, err
	}
	return newEntry(d, info.Size(), sum), nil
}

// refused marks the faults of what Publish was given.
func refused(err error) error { return &tagged{ErrRefused, err} }
