package release

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// keptInventories is how many answers of the last inventories stay.
const keptInventories = 50

// prune removes all but the newest files of a folder that match a pattern, and
// none that was written to within the last fresh: somebody may be at it. What
// cannot be removed stays: it is in nobody's way.
func prune(dir, pattern string, keep int, fresh time.Duration) {
	type file struct {
		path string
		when int64
	}
	paths, _ := filepath.Glob(filepath.Join(dir, pattern))
	var files []file
	for _, p := range paths {
		if info, err := os.Lstat(p); err == nil && info.Mode().IsRegular() {
			files = append(files, file{p, info.ModTime().UnixNano()})
		}
	}
	slices.SortFunc(files, func(a, b file) int { return cmp.Or(cmp.Compare(b.when, a.when), cmp.Compare(b.path, a.path)) })
	for _, f := range files[min(keep, len(files)):] {
		if time.Since(time.Unix(0, f.when)) >= fresh {
			_ = os.Remove(f.path)
		}
	}
}
