package repo

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// lost are the suites that have packages and no root for apt: somebody took
// the root away, since a publisher writes it before the first package. An Init
// that was killed leaves a suite without packages.
func (s *session) lost(ctx context.Context) ([]string, error) {
	packages, roots := map[string]bool{}, map[string]bool{}
	for _, folder := range []string{"dists/", "yum/"} {
		for info, err := range s.store.List(ctx, folder) {
			if err != nil {
				return nil, err
			}
			suite, _, _ := strings.Cut(strings.TrimPrefix(info.Name, folder), "/")
			switch base := path.Base(info.Name); {
			case folder == "dists/" && base == "InRelease":
				roots[suite] = true
			case base == "Packages" && info.Size > 0, path.Ext(base) == ".rpm":
				packages[suite] = true
			}
		}
	}
	maps.DeleteFunc(packages, func(suite string, _ bool) bool { return roots[suite] })
	return slices.Sorted(maps.Keys(packages)), nil
}

// checkLost is ErrDamaged when a suite has lost its root.
func (s *session) checkLost(ctx context.Context) error {
	suites, err := s.lost(ctx)
	if err != nil || len(suites) == 0 {
		return err
	}
	return &tagged{ErrDamaged, fmt.Errorf("suite %s has packages, but its dists/%s/InRelease is gone", suites[0], suites[0])}
}
