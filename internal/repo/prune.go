package repo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// PruneOptions are the [Options] of [Prune]. An empty Suite is every suite.
type PruneOptions struct {
	Options
	Retention
	DryRun       bool
	AllowMissing bool // go on where a version in use is not in the repository
}

// Pruned is what [Prune] took away, or would.
type Pruned struct {
	Removed []Removed `json:"removed"`
	Kept    int       `json:"kept"`    // entries that stay, over all suites
	Bytes   int64     `json:"bytes"`   // of the removed versions' files
	Orphans []string  `json:"orphans"` // files that killed publishers left
	Missing []InUse   `json:"missing"` // in use, but not in the repository, which has others of the package
}

// Removed is an entry and the suite that it left.
type Removed struct {
	Suite string `json:"suite"`
	Entry
}

// Prune removes the versions that no rule of the retention keeps. Their files
// stay for another day, see [Remove]. A version in use that the repository does
// not have, of a package that it has, may be one that is written in an unknown
// way: then nothing is removed, unless AllowMissing is set, and the error is
// ErrMissing. With DryRun the result is complete beside that error.
func Prune(ctx context.Context, location string, o PruneOptions) (_ *Pruned, err error) {
	wanted := o.Suite
	o.Options = o.withDefaults()
	defer func() {
		if err != nil {
			err = fmt.Errorf("prune %s: %w", Shown(location), err)
		}
	}()
	if o.Newest < 1 {
		return nil, &tagged{ErrUsage, errors.New("at least one version of each package stays")}
	}
	s, err := open(ctx, location, o.Options)
	if err != nil {
		return nil, err
	}
	defer s.close()
	result := &Pruned{Removed: []Removed{}, Orphans: []string{}, Missing: []InUse{}}
	err = s.locked(ctx, func(ctx context.Context) error {
		suites, err := s.suites(ctx)
		if err != nil {
			return err
		}
		if err := s.checkLost(ctx); err != nil {
			return err
		}
		missing, unknown := s.missing(ctx, suites, o.Retention)
		result.Missing = append(result.Missing, missing...)
		if unknown != nil && !(errors.Is(unknown, ErrMissing) && (o.DryRun || o.AllowMissing)) {
			return unknown
		}
		if wanted != "" {
			suites = []string{wanted}
		}
		for i, suite := range suites {
			var orphans []string
			if i == 0 && wanted == "" {
				if orphans, err = s.orphans(ctx); err != nil {
					return err
				}
				result.Orphans = append(result.Orphans, orphans...)
			}
			if err := s.pruneSuite(ctx, suite, o, orphans, result); err != nil {
				return err
			}
		}
		switch {
		case o.DryRun && o.AllowMissing:
			return nil
		case o.DryRun:
			return unknown // as without DryRun
		}
		return s.store.Mend(ctx)
	})
	return result, err
}

// missing are the versions in use that are in none of the suites; the error
// that names them is ErrMissing.
func (s *session) missing(ctx context.Context, suites []string, r Retention) ([]InUse, error) {
	var all []Entry
	for _, suite := range suites {
		st, err := s.load(ctx, suite)
		if err != nil {
			return nil, err
		}
		entries, err := st.entries(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, entries...)
	}
	var faults []error
	missing := r.missing(all)
	slices.SortFunc(all, compareEntries)
	for _, u := range missing {
		faults = append(faults, fmt.Errorf("%s %s is in use but not in the repository, which has %s", u.Name, u.Version, describe(named(all, strings.Split(u.Name, ":")[0]))))
	}
	if len(faults) > 0 {
		return missing, &tagged{ErrMissing, errors.Join(faults...)}
	}
	return nil, nil
}

func (s *session) pruneSuite(ctx context.Context, suite string, o PruneOptions, orphans []string, result *Pruned) error {
	st, err := s.load(ctx, suite)
	if err != nil {
		return err
	}
	entries, err := st.entries(ctx)
	if err != nil {
		return err
	}
	if err := s.date(ctx, entries); err != nil {
		return err
	}
	surplus := o.surplus(entries, s.now)
	for _, e := range surplus {
		result.Removed = append(result.Removed, Removed{suite, e})
		result.Bytes += e.Size
	}
	result.Kept += len(entries) - len(surplus)
	if o.DryRun {
		return nil
	}
	return s.drop(ctx, st, surplus, orphans)
}

// date fills in when a package was published where the index does not say it:
// one that an older version of this program wrote. A file that is not there is
// not young.
func (s *session) date(ctx context.Context, entries []Entry) error {
	for i, e := range entries {
		if !e.Published.IsZero() {
			continue
		}
		info, err := s.store.Stat(ctx, e.Filename)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		entries[i].Published = info.Modified
	}
	return nil
}

// orphans are the files that no root names and that are not about to go.
func (s *session) orphans(ctx context.Context) ([]string, error) {
	named, err := s.named(ctx, true)
	if err != nil {
		return nil, err
	}
	old, err := s.readExpired(ctx)
	if err != nil {
		return nil, err
	}
	for _, e := range old {
		named[e.name] = true
	}
	var orphans []string
	for info, err := range s.store.List(ctx, "") {
		if err != nil {
			return nil, err
		}
		if isOurs(info.Name) && !named[info.Name] {
			orphans = append(orphans, info.Name)
		}
	}
	return orphans, nil
}

// packageNames notes the packages of a suite.
func (st *state) packageNames(ctx context.Context, named map[string]bool) error {
	entries, err := st.entries(ctx)
	for _, e := range entries {
		named[e.Filename] = true
	}
	return err
}

// indexNames notes every other file that belongs to a suite.
func (st *state) indexNames(named map[string]bool) {
	for _, name := range st.apt.Names() {
		named[name] = true
	}
	for _, f := range st.apt.FixedFiles(true) {
		named[f.Name] = true
	}
	for _, file := range []string{"InRelease", "Release", "Release.gpg"} {
		named["dists/"+st.suite+"/"+file] = true
	}
	for arch, repository := range st.yum {
		for _, name := range repository.Names() {
			named[name] = true
		}
		for _, file := range []string{"repomd.xml", "repomd.xml.asc"} {
			named["yum/"+st.suite+"/"+arch+"/repodata/"+file] = true
		}
	}
}
