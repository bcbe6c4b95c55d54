package apt

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/kinectl/kinectl/internal/repo/index"
)

// Change leads from one state of a suite to the next.
type Change struct {
	Add []Package
	// Remove is done before Add. What is not there is ignored.
	Remove []index.Entry
	// Newest are the packages that Missing asks for.
	Newest []Package
	Now    time.Time // dates the root and its signature
	// ValidFor is how long hosts may believe the new root; 0 is without end, nil
	// as long as the one before.
	ValidFor *time.Duration
}

// Apply returns the state after a change; s stays what it was. It writes
// nothing, and reads only lists of the architectures that it changes. A change
// with nothing in it gives the same lists under a new root.
//
// A package that is there with other content, also one that Remove takes out,
// one that would take the file name of another, and one version for "all"
// beside one for a single architecture are errors that wrap ErrConflict, and
// all such are in the one error. A package that is there with the same content
// is left as it is.
func (s *Suite) Apply(ctx context.Context, c Change) (*Suite, error) {
	branches, err := s.plan(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("suite %s: %w", s.release.Suite, err)
	}
	results := make([]result, len(branches))
	var tasks []func() error
	for i, b := range branches {
		tasks = append(tasks, func() (err error) {
			results[i], err = s.edit(ctx, b, c)
			return err
		})
	}
	if err := together(tasks...); err != nil {
		return nil, fmt.Errorf("suite %s: %w", s.release.Suite, err)
	}
	next := &Suite{
		release: s.release.dated(c.Now, c.ValidFor), now: c.Now, from: s.from,
		packages: maps.Clone(s.packages), contents: maps.Clone(s.contents),
	}
	for i, b := range branches {
		next.take(b.arch, results[i], s.release)
	}
	next.release.Architectures = slices.Sorted(maps.Keys(next.packages))
	next.text = next.release.render()
	return next, nil
}

// take puts the lists of an architecture into a state that follows before.
func (s *Suite) take(arch string, r result, before Release) {
	s.packages[arch] = newPackages(arch, source{})
	s.packages[arch].text = r.packages
	if r.contents != nil {
		s.contents[arch] = newContents(arch, source{})
		s.contents[arch].text, s.contents[arch].whole = r.contents, true
	}
	s.release = s.release.with(r.files)
	for _, f := range r.fresh {
		if old, found := before.File(f.Path); !found || old != f.File {
			s.fresh = append(s.fresh, f)
		}
	}
}

// Missing returns the packages whose files Apply needs for Contents and cannot
// know: those that are the newest again because a newer one is removed, and
// everything in an index that has had no Contents yet. The caller opens them
// and gives them as Change.Newest.
func (s *Suite) Missing(ctx context.Context, c Change) ([]index.Entry, error) {
	branches, err := s.plan(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("suite %s: %w", s.release.Suite, err)
	}
	missing := map[string]index.Entry{}
	for _, b := range branches {
		after, err := b.edited()
		if err != nil {
			return nil, fmt.Errorf("suite %s: %w", s.release.Suite, err)
		}
		_, unknown, err := b.turns(after, c)
		if err != nil {
			return nil, fmt.Errorf("suite %s: %w", s.release.Suite, err)
		}
		for _, e := range unknown {
			missing[e.Key()] = e
		}
	}
	return slices.SortedFunc(maps.Values(missing), compareEntries), nil
}

// result is an architecture after a change.
type result struct {
	packages, contents *index.Text // contents is nil when it stays
	files              []File      // for the root
	fresh              []freshFile // to be written
}

func (s *Suite) edit(ctx context.Context, b *branch, c Change) (r result, err error) {
	if r.packages, err = b.edited(); err != nil {
		return r, err
	}
	turns, missing, err := b.turns(r.packages, c)
	if err != nil {
		return r, err
	}
	if len(missing) > 0 {
		e := missing[0]
		return r, fmt.Errorf("the files of %s %s %s are not known, nor those of %d others", e.Name, e.Version, e.Architecture, len(missing)-1)
	}
	packages, contents := newPackages(b.arch, source{}), newContents(b.arch, source{})
	var packagesFiles, contentsFiles []freshFile
	err = together(
		func() (err error) {
			packagesFiles, err = files(packages.path, r.packages, index.Plain, index.Gzip, index.Zstd)
			return err
		},
		func() (err error) {
			if len(turns) == 0 && b.contentsAreThere {
				return nil
			}
			before := index.New(contentsLayout())
			if l, found := s.contents[b.arch]; found {
				if before, err = l.editable(ctx); err != nil {
					return err
				}
			}
			if r.contents, err = turned(before, turns); err != nil {
				return contents.damaged(err)
			}
			if contentsFiles, err = files(contents.path, r.contents, index.Gzip); err != nil {
				return err
			}
			// apt wants to know what the packed file unpacks to.
			plain := File{Path: contents.path}
			plain.Size, plain.SHA256, err = r.contents.PlainSum()
			r.files = append(r.files, plain)
			return err
		},
	)
	r.fresh = slices.Concat(packagesFiles, contentsFiles)
	for _, f := range r.fresh {
		r.files = append(r.files, f.File)
	}
	return r, err
}

// files are a text in forms, each with its digest.
func files(path string, text *index.Text, wanted ...index.Forms) ([]freshFile, error) {
	made := make([]freshFile, len(wanted))
	var tasks []func() error
	for i, form := range wanted {
		tasks = append(tasks, func() error {
			body, err := text.Body(form)
			if err != nil {
				return err
			}
			made[i] = freshFile{File{path + suffix(form), body.Size(), body.SHA256()}, body}
			return nil
		})
	}
	return made, together(tasks...)
}

// edited is the Packages of the branch after the change.
func (b *branch) edited() (*index.Text, error) {
	return b.packages.Edit(b.put, slices.Collect(maps.Keys(b.remove)))
}

// turns finds the names whose newest version is another one after the change,
// and the packages among these whose files nobody has told.
func (b *branch) turns(after *index.Text, c Change) (turns map[string]turn, missing []index.Entry, err error) {
	names := b.names
	was := map[string]holder{}
	if !b.contentsAreThere {
		names = nil // all are new to Contents
	} else if was, err = newest(b.packages, names); err != nil {
		return nil, nil, err
	}
	is, err := newest(after, names)
	if err != nil {
		return nil, nil, err
	}
	given := map[string]Package{}
	for _, p := range slices.Concat(c.Newest, c.Add) {
		given[p.Entry.Key()+" "+p.Entry.SHA256] = p
	}
	turns = map[string]turn{}
	for name, to := range is {
		if from := was[name]; from.entry.Key() != to.entry.Key() {
			p, found := given[to.entry.Key()+" "+to.entry.SHA256]
			if !found {
				missing = append(missing, to.entry)
			}
			turns[name] = turn{from, to, p.Files}
		}
	}
	for name, from := range was {
		if _, found := is[name]; !found {
			turns[name] = turn{from: from}
		}
	}
	slices.SortFunc(missing, compareEntries)
	return turns, missing, nil
}
