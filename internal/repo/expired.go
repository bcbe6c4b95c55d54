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

// next is the list after a publication that names current and leaves
// superseded behind, and what is to be removed now.
func (x expired) next(current, superseded []string, now time.Time) (kept expired, due []string) {
	named := make(map[string]bool, len(current))
	for _, name := range current {
		named[name] = true
	}
	listed := map[string]bool{}
	for _, e := range x {
		switch {
		case named[e.name]:
		case now.Sub(time.Unix(e.since, 0)) > keepTime(e.name):
			due = append(due, e.name)
		default:
			kept = append(kept, e)
			listed[e.name] = true
		}
	}
	for _, name := range superseded {
		if !named[name] && !listed[name] {
			kept = append(kept, expiry{now.Unix(), name})
			listed[name] = true
		}
	}
	return kept, due
}

func keepTime(name string) time.Duration {
	if strings.HasSuffix(name, ".deb") || strings.HasSuffix(name, ".rpm") {
		return keepPackages
	}
	return keepIndexes
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
	body, err := s.store.Get(ctx, expiredName, maxExpired)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return parseExpired(body)
}
