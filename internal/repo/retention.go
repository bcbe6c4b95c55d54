package repo

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
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
	Name, Version string
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
		default:
			list = append(list, InUse{words[0], words[1]})
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

// surplus picks the entries that no rule keeps. Entries are those of one suite,
// sorted, the oldest version first.
func (r Retention) surplus(entries []Entry, now time.Time) []Entry {
	type of struct{ format, name string }
	newer := map[of][]string{} // versions already seen, from the newest on
	var surplus []Entry
	for i := len(entries) - 1; i >= 0; i-- {
		e := entries[i]
		key := of{e.Format, e.Name}
		if seen := newer[key]; len(seen) == 0 || seen[len(seen)-1] != e.Version {
			newer[key] = append(seen, e.Version)
		}
		if len(newer[key]) > r.Newest && now.Sub(e.Published) >= r.Younger && !r.inUse(e) {
			surplus = append(surplus, e)
		}
	}
	return surplus
}

func (r Retention) inUse(e Entry) bool {
	for _, u := range r.InUse {
		if u.Name == e.Name && isVersion(e, u.Version) {
			return true
		}
	}
	return false
}

// missing are the versions in use that are not among entries.
func (r Retention) missing(entries []Entry) []InUse {
	var missing []InUse
	for _, u := range r.InUse {
		found := false
		for _, e := range entries {
			if u.Name == e.Name && isVersion(e, u.Version) {
				found = true
				break
			}
		}
		if !found {
			missing = append(missing, u)
		}
	}
	return missing
}
