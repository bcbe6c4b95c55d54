package facts

import (
	"os"
	"path/filepath"
)

// Root returns the folder of the git repository that specFile is in, by its
// entry .git, and "" outside of one. Specs with the same root have the same
// [Of] and [Describe], which call git.
func Root(specFile string) string {
	dir, err := filepath.Abs(filepath.Dir(specFile))
	if err != nil {
		return ""
	}
	for {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			return ""
		}
		dir = up
	}
}
