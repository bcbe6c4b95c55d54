package doctor

import (
	"context"
	"errors"
	"io/fs"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/kinectl/kinectl/internal/release"
	"github.com/kinectl/kinectl/internal/repo"
	"github.com/kinectl/kinectl/internal/repo/storage"
)

// unanswered bounds how long a package repository may take to show its root.
const unanswered = 10 * time.Second

// longestRoot is more than any InRelease has.
const longestRoot = 1 << 20 // bytes

// packages reads the repository as a deploy does: by the inventory's key.
func packages(ctx context.Context, in *release.Infra, dir string) []Finding {
	ctx, cancel := context.WithTimeout(ctx, unanswered)
	defer cancel()
	r, err := in.OpenRepository(ctx, "all")
	if err != nil {
		return one(Fail, err.Error(), mend(err, filepath.Join(dir, "inventories", in.Env)))
	}
	defer r.Close()
	return one(OK, "signed by the key, origin "+r.Origin(), "")
}

// places are the checks of where the inventory says that packages are, beyond the one that
// a deploy reads: as the hosts see it, and before there is a host. Each is asked for its
// root. A server may answer its hosts alone, so that nothing here is a fault for certain.
func places(hosts map[string]map[string]any, dir, env string, read bool) []Check {
	names := []string{"kinectl_repository_url"}
	if !read {
		names = append(names, "kinectl_repository")
	}
	asked := map[string]bool{}
	if read { // by the check of the repository
		for _, vars := range hosts {
			asked[text(vars, "kinectl_repository")] = true
		}
	}
	var all []Check
	for _, name := range names {
		for _, vars := range hosts {
			location := text(vars, name)
			at, err := url.Parse(location)
			if location == "" || asked[location] || err != nil || at.Scheme == "file" || example(at.Hostname()) {
				continue
			}
			asked[location] = true
			if !strings.Contains(location, "://") {
				location = beside(dir, location)
			}
			all = append(all, Check{Name: env + " " + name, Look: func(ctx context.Context) []Finding {
				if err := reach(ctx, location); err != nil {
					return one(Warn, err.Error(), mend(err, filepath.Join(dir, "inventories", env)))
				}
				return one(OK, at.Redacted(), "")
			}})
		}
	}
	slices.SortFunc(all, func(a, b Check) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// reach gets the root of the default suite, whoever signed it.
func reach(ctx context.Context, location string) error {
	ctx, cancel := context.WithTimeout(ctx, unanswered)
	defer cancel()
	place, err := storage.OpenReader(location, storage.Options{})
	if err != nil {
		return err
	}
	defer storage.Close(place)
	_, err = place.Get(ctx, "dists/"+repo.DefaultSuite+"/InRelease", longestRoot)
	return err
}

// mend is what to do about a repository that could not be read.
func mend(err error, inventory string) string {
	switch {
	case errors.Is(err, repo.ErrSignature):
		return "let kinectl_repository_key of " + inventory + " be the repository's own: cp REPO/key.asc FILE"
	case errors.Is(err, repo.ErrNotRepository), errors.Is(err, fs.ErrNotExist):
		return "make it with: kinectl repo init DIR, or correct the address in " + inventory
	case errors.Is(err, release.ErrInventory), errors.Is(err, storage.ErrLocation):
		return "correct it in " + inventory
	}
	return "is its server up (kinectl repo serve), and reached from here? Else correct the address in " + inventory
}
