package repo

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// lost are the suites that have no root for apt and yet are there: somebody took
// it away, or an Init was killed before it had written it, which is the last that it does. With packages
// it was the former.
func (s *session) lost(ctx context.Context, withPackages bool) ([]string, error) {
	there, roots := map[string]bool{}, map[string]bool{}
	for _, folder := range []string{"dists/", "yum/"} {
		for info, err := range s.store.List(ctx, folder) {
			if err != nil {
				return nil, err
			}
			suite, _, _ := strings.Cut(strings.TrimPrefix(info.Name, folder), "/")
			switch base := path.Base(info.Name); {
			case folder == "dists/" && base == "InRelease":
				roots[suite] = true
			case base == "Packages" && info.Size > 0, path.Ext(base) == ".rpm", base == "repomd.xml" && !withPackages:
				there[suite] = true
			}
		}
	}
	maps.DeleteFunc(there, func(suite string, _ bool) bool { return roots[suite] })
	return slices.Sorted(maps.Keys(there)), nil
}

// checkLost is ErrDamaged when a suite has no root: what it named would look
// like leftovers.
func (s *session) checkLost(ctx context.Context) error {
	suites, err := s.lost(ctx, false)
	if err != nil || len(suites) == 0 {
		return err
	}
	return rootGone(suites[0])
}

func rootGone(suite string) error {
	return &tagged{ErrDamaged, fmt.Errorf("suite %s is there, but its dists/%s/InRelease is gone, or was never written (then finish it: kinectl repo init --suite %s)", suite, suite, suite)}
}
