package repo

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/kinectl/kinectl/internal/lazyregexp"
)

// Retention says which versions [Prune] keeps. A version is kept when any of
// the rules keeps it.
type Retention struct {
	Newest  int           // so many versions of each package and format, at least 1
	Younger time.Duration // what joined its suite less than this ago
	InUse   []InUse
}

// InUse is a version that a host runs, or one to go back to.
type InUse struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// ReadInUse reads a list of what the fleet runs: a line for each, the name of
// a package and its version apart by blanks; more words, empty lines and what
// follows a # are passed over. So the output of
// `dpkg-query -W -f '${Package} ${Version}\n'` is one. All faulty lines are in
// the error, which is ErrUsage.
func ReadInUse(r io.Reader, name string) ([]InUse, error) {
	var list []InUse
	var faults []error
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		text, _, _ := strings.Cut(lines.Text(), "#")
		words := strings.Fields(text)
		switch {
		case len(words) == 0:
		case len(words) == 1:
			faults = append(faults, fmt.Errorf("%s:%d: %q has no version", name, n, words[0]))
		case !inUsePattern.MatchString(words[0] + " " + words[1]):
			faults = append(faults, fmt.Errorf("%s:%d: %q is no package and its version", name, n, words[0]+" "+words[1]))
		default:
			list = append(list, InUse{Name: words[0], Version: words[1]})
		}
	}
	if err := lines.Err(); err != nil {
		faults = append(faults, fmt.Errorf("%s: %w", name, err))
	}
	if len(faults) > 0 {
		return nil, &tagged{ErrUsage, errors.Join(faults...)}
	}
	return list, nil
}

// inUsePattern is what a package manager calls a package, and its version. What
// else is in such a list is the error of the program that made it.
var inUsePattern = lazyregexp.New(`^[A-Za-z0-9][A-Za-z0-9+._-]*(:[a-z0-9-]+)? v?[0-9][A-Za-z0-9.+~^:_-]*$`)

// surplus picks the entries that no rule keeps. Entries are those of one suite,
// sorted, the oldest version first.
func (r Retention) surplus(entries []Entry, now time.Time) []Entry {
	type of struct{ format, name, arch string }
	type version struct{ format, name, version string }
	newer := map[of]int{}      // how many versions were seen, from the newest on
	last := map[of]string{}    // the one that was seen last
	kept := map[version]bool{} // for an architecture, and so for all
	for i := len(entries) - 1; i >= 0; i-- {
		e := entries[i]
		key := of{e.Format, e.Name, e.Architecture}
		if newer[key] == 0 || last[key] != e.Version {
			newer[key]++
			last[key] = e.Version
		}
		if newer[key] <= r.Newest || now.Sub(e.Published) < r.Younger || r.inUse(e) {
			kept[version{e.Format, e.Name, e.Version}] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(entries), func(e Entry) bool { return kept[version{e.Format, e.Name, e.Version}] })
}

func (r Retention) inUse(e Entry) bool {
	for _, u := range r.InUse {
		if u.is(e) {
			return true
		}
	}
	return false
}

// is tells whether an entry may be meant. Hosts write versions in several ways;
// to keep one too many does no harm. So an epoch counts for nothing, and the
// architecture that dpkg puts behind some names neither.
func (u InUse) is(e Entry) bool {
	name, _, _ := strings.Cut(u.Name, ":")
	e.Version = withoutEpoch(e.Version)
	return name == e.Name && isVersion(e, withoutEpoch(u.Version))
}

func withoutEpoch(version string) string {
	if _, after, found := strings.Cut(version, ":"); found {
		return after
	}
	return version
}

// missing are the versions in use of packages that are among entries, though
// the version is not. Of other packages a repository knows nothing.
func (r Retention) missing(entries []Entry) []InUse {
	names := map[string][]Entry{}
	for _, e := range entries {
		names[e.Name] = append(names[e.Name], e)
	}
	var missing []InUse
	for _, u := range r.InUse {
		name, _, _ := strings.Cut(u.Name, ":")
		if versions := names[name]; versions != nil && !slices.ContainsFunc(versions, u.is) {
			missing = append(missing, u)
		}
	}
	return missing
}
