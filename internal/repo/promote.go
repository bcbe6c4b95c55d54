package repo

import (
	"context"
	"fmt"
	"os"
)

// Promote brings versions from one suite into another, as they are: the same
// files, nothing built or signed anew. A selection is NAME=VERSION, or NAME for its
// newest version in each format. What is
// there already is no fault. The rest is as with [Publish].
func Promote(ctx context.Context, location, from string, selections []string, o Options) (_ []Published, err error) {
	o = o.withDefaults()
	defer func() {
		if err != nil {
			err = fmt.Errorf("promote from %s to %s in %s: %w", from, o.Suite, Shown(location), err)
		}
	}()
	if from == o.Suite {
		return nil, &tagged{ErrUsage, fmt.Errorf("both suites are %s", from)}
	}
	s, err := open(ctx, location, o)
	if err != nil {
		return nil, err
	}
	defer s.close()
	dir, err := os.MkdirTemp("", "kinectl-repo-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	var published []Published
	err = s.locked(ctx, func(ctx context.Context) error {
		st, err := s.load(ctx, from)
		if err != nil {
			return err
		}
		entries, err := st.entries(ctx)
		if err != nil {
			return err
		}
		chosen, err := selected(entries, selections)
		if err != nil {
			return fmt.Errorf("suite %s: %w", from, err)
		}
		var packages []pkg
		for _, e := range uniqueFiles(chosen) {
			p, err := s.fetch(ctx, e, dir)
			if err != nil {
				return err
			}
			packages = append(packages, p)
		}
		published, err = s.add(ctx, o.Suite, packages)
		return err
	})
	return published, err
}

// uniqueFiles leaves out the second and later places of a noarch package.
func uniqueFiles(entries []Entry) []Entry {
	seen := map[string]bool{}
	var unique []Entry
	for _, e := range entries {
		key := e.Format + " " + e.Key()
		if !seen[key] {
			seen[key] = true
			unique = append(unique, e)
		}
	}
	return unique
}
