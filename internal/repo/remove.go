package repo

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/kinectl/kinectl/internal/repo/apt"
)

// Remove takes versions, each NAME=VERSION, out of a suite and returns them.
// Their files go a day later with a later change, so that a client that has
// the lists of before still finds them. A version that is not there is
// ErrNotFound, and nothing is removed then.
func Remove(ctx context.Context, location string, selections []string, o Options) (removed []Entry, err error) {
	o = o.withDefaults()
	defer func() {
		if err != nil {
			err = fmt.Errorf("remove from %s: %w", Shown(location), err)
		}
	}()
	var faults []error
	for _, s := range selections {
		if _, version, found := strings.Cut(s, "="); !found || version == "" {
			faults = append(faults, fmt.Errorf("%s: name the version too, as NAME=VERSION", s))
		}
	}
	if len(faults) > 0 {
		return nil, &tagged{ErrUsage, errors.Join(faults...)}
	}
	s, err := open(ctx, location, o)
	if err != nil {
		return nil, err
	}
	defer s.close()
	err = s.locked(ctx, func(ctx context.Context) error {
		st, err := s.load(ctx, o.Suite)
		if err != nil {
			return err
		}
		entries, err := st.entries(ctx)
		if err != nil {
			return err
		}
		if removed, err = selected(entries, selections); err != nil {
			return err
		}
		return s.drop(ctx, st, removed, nil)
	})
	return removed, err
}

// drop takes entries out of a suite, and lets files go that no root names.
func (s *session) drop(ctx context.Context, st *state, entries []Entry, orphans []string) error {
	var c change
	for _, e := range entries {
		if e.Format == "deb" {
			if c.apt == nil {
				c.apt = &apt.Change{Now: s.now}
			}
			c.apt.Remove = append(c.apt.Remove, e)
			continue
		}
		arch := strings.Split(e.Filename, "/")[2] // yum/SUITE/ARCH/…
		y := c.forYum(arch, s.now)
		y.Remove = append(y.Remove, e)
	}
	p, err := s.next(ctx, st, c)
	if err != nil {
		return err
	}
	if p.superseded, err = s.unnamed(ctx, st.suite, entries, append(p.superseded, orphans...)); err != nil {
		return err
	}
	return s.commit(ctx, p)
}

// unnamed adds the files of entries that no other suite names.
func (s *session) unnamed(ctx context.Context, own string, entries []Entry, files []string) ([]string, error) {
	suites, err := s.suites(ctx)
	if err != nil {
		return nil, err
	}
	var others []*apt.Suite
	for _, suite := range suites {
		if suite == own {
			continue
		}
		other, err := apt.Load(ctx, s.store, suite, s.trusted, s.now)
		if err != nil {
			return nil, err
		}
		others = append(others, other)
	}
	for _, e := range entries {
		named := false
		for _, other := range others {
			if e.Format != "deb" {
				break // the files of an rpm repository are its own
			}
			_, found, err := other.Find(ctx, e.Name, e.Version, e.Architecture)
			if err != nil {
				return nil, err
			}
			named = named || found
		}
		if !named {
			files = append(files, e.Filename)
		}
	}
	return files, nil
}
