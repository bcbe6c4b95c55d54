package release

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/kinectl/kinectl/internal/repo/debfile"
)

// Where packages put their units.
const unitFolder = "/usr/lib/systemd/system"

// unitsOf reads the units that a package carries.
func unitsOf(ctx context.Context, d *debfile.Package) (map[string]string, error) {
	files, err := d.Payload(ctx)
	if err != nil {
		return nil, err
	}
	units := map[string]string{}
	for _, f := range files {
		if path.Dir(f) != unitFolder {
			continue
		}
		body, err := d.File(f)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		units[path.Base(f)] = string(body)
	}
	return units, nil
}

// diffs compares files by their names. On a first install all of it is new, and
// nothing is shown: the package can be read.
func diffs(before, after map[string]string) []Diff {
	if len(before) == 0 {
		return nil
	}
	var all []Diff
	names := slices.AppendSeq(slices.Collect(maps.Keys(before)), maps.Keys(after))
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if text := difference(before[name], after[name]); text != "" {
			all = append(all, Diff{name, text})
		}
	}
	return all
}

// difference is the lines that go and come, in their order, each with its sign.
func difference(before, after string) string {
	var b strings.Builder
	_, hunks, _ := strings.Cut(string(diff.Diff("", []byte(before), "", []byte(after))), "\n@@")
	for text := range strings.Lines(hunks) {
		if strings.HasPrefix(text, "+") || strings.HasPrefix(text, "-") {
			b.WriteString(text)
		}
	}
	return b.String()
}
