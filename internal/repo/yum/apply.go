package yum

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/kinectl/kinectl/internal/repo/index"
)

// Apply returns the state after a change; r stays what it was. It writes
// nothing, but may read the lists of r. A change with nothing in it gives the
// same lists under a new root.
//
// A package that is there with other content, or that would take the file name
// of another, is an error that wraps ErrConflict, and all such are in the one
// error. One that is there with the same content is left as it is.
func (r *Repository) Apply(ctx context.Context, c Change) (*Repository, error) {
	add, remove, err := r.plan(ctx, c)
	if err != nil {
		return nil, err
	}
	next := &Repository{suite: r.suite, arch: r.arch, now: c.Now, root: r.root, lists: r.lists}
	next.root.revision = max(c.Now.Unix(), r.root.revision+1) // never back, whatever the clock does
	if len(add)+len(remove) == 0 && r.root.revision != 0 {
		next.body = next.root.render()
		return next, nil
	}
	var edits sync.WaitGroup
	var faults [kinds]error
	for kind, l := range r.lists {
		edits.Go(func() { next.lists[kind], faults[kind] = l.edit(ctx, add, remove, next.root.revision) })
	}
	edits.Wait()
	if err := errors.Join(faults[:]...); err != nil {
		return nil, err
	}
	for kind, l := range next.lists {
		next.root.data[kind] = l.data
		next.changed[kind] = l != r.lists[kind]
	}
	next.body = next.root.render()
	return next, nil
}

// plan decides what a change comes to: the packages that are put into the
// lists, and the keys of those that go.
func (r *Repository) plan(ctx context.Context, c Change) (add []Package, remove []string, err error) {
	names := map[string]bool{}
	for _, p := range c.Add {
		if err := p.check(directory(r.suite, r.arch)); err != nil {
			return nil, nil, err
		}
		names[p.Entry.Name] = true
	}
	present, err := r.present(ctx, names)
	if err != nil {
		return nil, nil, err
	}
	byKey, byFile := map[string]index.Entry{}, map[string]index.Entry{}
	for _, e := range present {
		byKey[e.Key()], byFile[e.Filename] = e, e
	}
	for _, e := range c.Remove {
		remove = append(remove, e.Key())
		delete(byFile, byKey[e.Key()].Filename)
		delete(byKey, e.Key())
	}
	var faults []error
	for _, p := range c.Add {
		e := p.Entry
		old, exists := byKey[e.Key()]
		twin, taken := byFile[e.Filename]
		switch {
		case exists && old.SHA256 != e.SHA256:
			faults = append(faults, fmt.Errorf("%w: %s %s %s is there with other content (sha256 %.12s…, this is %.12s…); a published version never changes",
				ErrConflict, e.Name, e.Version, e.Architecture, old.SHA256, e.SHA256))
		case exists:
		case taken:
			faults = append(faults, fmt.Errorf("%w: %s %s %s would take the file name of version %s",
				ErrConflict, e.Name, e.Version, e.Architecture, twin.Version))
		default:
			byKey[e.Key()], byFile[e.Filename] = e, e
			add = append(add, p)
		}
	}
	return add, remove, errors.Join(faults...)
}

// present returns the packages that have one of these names, and maybe others.
func (r *Repository) present(ctx context.Context, names map[string]bool) ([]index.Entry, error) {
	const few = 64 // more are quicker found by one walk through the list
	if len(names) > few {
		return r.Entries(ctx)
	}
	var all []index.Entry
	for name := range names {
		versions, err := r.Versions(ctx, name)
		if err != nil {
			return nil, err
		}
		all = append(all, versions...)
	}
	return all, nil
}

// check refuses a package whose two halves speak of different things.
func (p Package) check(dir string) error {
	if err := check(p.Entry, dir); err != nil {
		return err
	}
	if e := p.Entry; p.RPM == nil || p.RPM.Name != e.Name || p.RPM.EVR() != e.Version || p.RPM.Arch != e.Architecture {
		return fmt.Errorf("package %s %s: its entry is not of the package", e.Name, e.Version)
	}
	return nil
}
