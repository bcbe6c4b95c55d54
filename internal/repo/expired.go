package repo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kinectl/kinectl/internal/repo/storage"
)

// A reader that holds the root of a moment ago still fetches the indexes and
// the packages that it names. They are kept for this long after they were
// superseded or removed.
const (
	keepIndexes  = 15 * time.Minute // longer than a refresh takes
	keepPackages = 24 * time.Hour   // a host installs from the lists of its last refresh
)

const (
	expiredName = ".expired" // dotfiles are never served
	maxExpired  = 256 << 20  // bytes
)

// expired are the files that no root names any more, with the time since when.
type expired []expiry

type expiry struct {
	since int64 // unix time
	name  string
}

// without is the list without the files that are in use again.
func (x expired) without(current []string) expired {
	named := make(map[string]bool, len(current))
	for _, name := range current {
		named[name] = true
	}
	return slices.DeleteFunc(slices.Clone(x), func(e expiry) bool { return named[e.name] })
}

// with is the list with more files, whose time begins now unless it has begun
// before.
func (x expired) with(superseded []string, now time.Time) expired {
	listed := make(map[string]bool, len(x))
	for _, e := range x {
		listed[e.name] = true
	}
	for _, name := range superseded {
		if !listed[name] {
			x = append(x, expiry{now.Unix(), name})
			listed[name] = true
		}
	}
	return x
}

// due are the files whose time is over.
func (x expired) due(now time.Time) (names []string) {
	for _, e := range x {
		if now.Sub(time.Unix(e.since, 0)) > keepTime(e.name) {
			names = append(names, e.name)
		}
	}
	return names
}

func keepTime(name string) time.Duration {
	if isPackage(name) {
		return keepPackages
	}
	return keepIndexes
}

func isPackage(name string) bool {
	return strings.HasSuffix(name, ".deb") || strings.HasSuffix(name, ".rpm")
}

func (x expired) has(name string) bool {
	return slices.ContainsFunc(x, func(e expiry) bool { return e.name == name })
}

func (x expired) file() storage.File {
	var b strings.Builder
	for _, e := range x {
		fmt.Fprintf(&b, "%d %s\n", e.since, e.name)
	}
	return storage.Bytes(expiredName, []byte(b.String()))
}

func parseExpired(body []byte) (expired, error) {
	var x expired
	for line := range strings.Lines(string(body)) {
		since, name, found := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		n, err := strconv.ParseInt(since, 10, 64)
		// What is not below these folders is never ours to remove.
		if err != nil || !found || !isOurs(name) || !fs.ValidPath(name) {
			return nil, fmt.Errorf("%s: line %q", expiredName, line)
		}
		x = append(x, expiry{n, name})
	}
	return x, nil
}

// isOurs tells whether a file is one that publications write.
func isOurs(name string) bool {
	return strings.HasPrefix(name, "dists/") || strings.HasPrefix(name, "pool/") || strings.HasPrefix(name, "yum/")
}

func (s *session) readExpired(ctx context.Context) (expired, error) {
	return readExpired(ctx, s.store)
}

func readExpired(ctx context.Context, r storage.Reader) (expired, error) {
	body, err := r.Get(ctx, expiredName, maxExpired)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return parseExpired(body)
}

// expire notes what a publication has left behind, and removes what has had
// its time. Whatever the list says, no file goes that belongs to a suite.
func (s *session) expire(ctx context.Context, x expired, p publication) error {
	due := x.due(s.clock())
	changed := len(due) > 0
	if changed {
		named, err := s.named(ctx, slices.ContainsFunc(due, isPackage))
		if err != nil {
			return err
		}
		x = x.without(due)
		due = slices.DeleteFunc(due, func(name string) bool { return named[name] })
		if err := s.store.Remove(ctx, due); err != nil {
			return err
		}
	}
	next := x.with(p.superseded, s.clock()).without(p.current)
	if !changed && len(next) == len(x) {
		return nil
	}
	return s.store.Put(ctx, []storage.File{next.file()})
}

// named are the files that belong to the suites, packages only when they are
// asked for.
func (s *session) named(ctx context.Context, packages bool) (map[string]bool, error) {
	suites, err := s.suites(ctx)
	if err != nil {
		return nil, err
	}
	named := map[string]bool{}
	for _, suite := range suites {
		st, err := s.load(ctx, suite)
		if err != nil {
			return nil, err
		}
		st.indexNames(named)
		if packages {
			if err := st.packageNames(ctx, named); err != nil {
				return nil, err
			}
		}
	}
	return named, nil
}
