package release

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/kinectl/kinectl/internal/version"
)

// Names are the groups and hosts of the inventory, sorted, groups first: what a limit
// may name.
func (in *Infra) Names() []string {
	groups := slices.Sorted(maps.Keys(in.answer.Groups))
	groups = slices.DeleteFunc(groups, func(g string) bool { return g == "ungrouped" })
	return append(groups, slices.Sorted(slices.Values(in.All()))...)
}

// Published are the versions of a service that the group's package repository has, the
// newest first. One behind ssh is not asked, since that may want a password: it has none.
func (in *Infra) Published(ctx context.Context, group, name string) ([]string, error) {
	if location, _, err := in.repository(group); err != nil || strings.HasPrefix(location, "ssh:") {
		return nil, err
	}
	r, err := in.OpenRepository(ctx, group)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	entries, err := r.Debian(ctx, name)
	var all []string
	for _, e := range slices.Backward(entries) {
		if v, err := version.FromDeb(e.Version); err == nil && !slices.Contains(all, v.Label) {
			all = append(all, v.Label)
		}
	}
	return all, err
}
