package repo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/kinectl/kinectl/internal/version"
)

// entries are all packages of the suite in both formats, sorted. A noarch
// package is there once for each architecture of hosts.
func (st *state) entries(ctx context.Context) ([]Entry, error) {
	all, err := st.apt.Entries(ctx)
	if err != nil {
		return nil, err
	}
	for _, repository := range st.yum {
		more, err := repository.Entries(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
	}
	slices.SortFunc(all, compareEntries)
	return all, nil
}

// compareEntries sorts by format, name and version, oldest first, as the
// package manager of the format orders versions.
func compareEntries(a, b Entry) int {
	return cmp.Or(cmp.Compare(a.Format, b.Format), cmp.Compare(a.Name, b.Name), compareVersions(a, b),
		cmp.Compare(a.Version, b.Version), cmp.Compare(a.Architecture, b.Architecture), cmp.Compare(a.Filename, b.Filename))
}

func compareVersions(a, b Entry) int {
	if a.Format == "rpm" {
		return version.CompareRPM(a.Version, b.Version)
	}
	return version.CompareDeb(a.Version, b.Version)
}

// isVersion tells whether an entry is what somebody means by this version: as
// the repository writes it, an rpm also without its release, or the version
// that kinectl made both of.
func isVersion(e Entry, v string) bool {
	if e.Version == v {
		return true
	}
	if e.Format == "rpm" {
		plain := e.Version[:max(0, strings.LastIndexByte(e.Version, '-'))]
		if plain == v {
			return true
		}
		parsed, err := version.Parse(v)
		if err != nil {
			parsed, err = version.FromDeb(v)
		}
		return err == nil && plain == parsed.RPM
	}
	own, err := version.FromDeb(e.Version)
	if err != nil {
		return false
	}
	other, err := version.Parse(v)
	if err != nil {
		other, err = version.FromDeb(v)
	}
	return err == nil && own.Deb == other.Deb
}

// selected picks entries: NAME=VERSION, or NAME for its newest version in each
// format. Whatever matches nothing is in the error, which is ErrNotFound.
func selected(entries []Entry, selections []string) ([]Entry, error) {
	var chosen []Entry
	var faults []error
	for _, s := range selections {
		name, v, exact := strings.Cut(s, "=")
		var found []Entry
		newest := map[string]Entry{}
		for _, e := range entries {
			if e.Name != name {
				continue
			}
			if exact && isVersion(e, v) {
				found = append(found, e)
			}
			newest[e.Format] = e // they are sorted
		}
		if !exact {
			for _, e := range entries {
				if n, there := newest[e.Format]; there && e.Name == name && e.Version == n.Version {
					found = append(found, e)
				}
			}
		}
		if len(found) == 0 {
			faults = append(faults, fmt.Errorf("%s is %w, which has %s", s, ErrNotFound, describe(named(entries, name))))
		}
		chosen = append(chosen, found...)
	}
	return chosen, errors.Join(faults...)
}

func named(entries []Entry, name string) []Entry {
	var found []Entry
	for _, e := range entries {
		if e.Name == name {
			found = append(found, e)
		}
	}
	return found
}

// describe lists versions for an error: the newest, since older ones are
// seldom meant.
func describe(versions []Entry) string {
	const most = 10
	if len(versions) == 0 {
		return "no package of that name"
	}
	var words []string
	for _, e := range slices.Backward(versions) {
		if word := e.Version + " (" + e.Architecture + ")"; !slices.Contains(words, word) { // of several suites
			words = append(words, word)
		}
	}
	if n := len(words) - most; n > 0 {
		words = append(words[:most], fmt.Sprintf("and %d older", n))
	}
	return strings.Join(words, ", ")
}
