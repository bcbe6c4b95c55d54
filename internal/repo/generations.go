package repo

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"
)

// Readers that hold the InRelease of a moment ago still fetch the indexes that
// it names, under their digests. These are kept for keepTime after they were
// superseded, and the last keepCount of each index for good.
const (
	keepTime  = 10 * time.Minute
	keepCount = 10
)

// generation is an index file under its digest.
type generation struct {
	sha256  string
	expired time.Time // when it was superseded, unless it is current
}

// superfluous picks what no reader can want any more.
func superfluous(all []generation, current map[string]bool, now time.Time) []generation {
	var old []generation
	for _, g := range all {
		if !current[g.sha256] {
			old = append(old, g)
		}
	}
	slices.SortFunc(old, func(a, b generation) int {
		return cmp.Or(b.expired.Compare(a.expired), cmp.Compare(a.sha256, b.sha256))
	})
	if len(old) <= keepCount {
		return nil
	}
	return slices.DeleteFunc(old[keepCount:], func(g generation) bool { return now.Sub(g.expired) < keepTime })
}

// markSuperseded notes, as the modification time of the indexes that next does
// not have, that their time ends now. It is done before the new root is there:
// a killed process leaves a note on a current file, which does no harm.
func (w writer) markSuperseded(prev, next *suite, now time.Time) {
	for _, f := range prev.release.files {
		if n, found := next.release.file(f.path); !found || n.sha256 != f.sha256 {
			name := w.path(suitePath(prev.release.suite, byHashPath(f.path, f.sha256)))
			_ = os.Chtimes(name, now, now) // a lost note only lets the file go sooner
		}
	}
}

// dropSuperseded removes the index files that have had their time.
func (w writer) dropSuperseded(s *suite, now time.Time) error {
	for _, arch := range s.release.architectures {
		current := map[string]bool{}
		for _, f := range s.release.files {
			current[f.sha256] = true
		}
		dir := suitePath(s.release.suite, path.Dir(byHashPath(indexPath(arch, ""), "x")))
		entries, err := os.ReadDir(w.path(dir))
		if err != nil {
			return err
		}
		var all []generation
		for _, e := range entries {
			info, err := e.Info()
			if errors.Is(err, fs.ErrNotExist) || strings.HasPrefix(e.Name(), ".") {
				continue
			}
			if err != nil {
				return err
			}
			all = append(all, generation{e.Name(), info.ModTime()})
		}
		for _, g := range superfluous(all, current, now) {
			if err := os.Remove(w.path(path.Join(dir, g.sha256))); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}
