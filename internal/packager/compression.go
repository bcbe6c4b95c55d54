package packager

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// debRPMLevels are those of gzip(1) and zstd(1). nfpm maps the ones of zstd to
// four strengths, which begin at 1, 3, 6 and 10; its xz has no levels.
func debRPMLevels() map[string]int { return map[string]int{"gzip": 9, "zstd": 22} }

// checkCompression refuses what the format cannot be compressed with. nfpm
// would too, but for some levels that it takes silently for others.
func (f format) checkCompression(c string) error {
	if c == "" {
		return nil
	}
	kind, level, leveled := strings.Cut(c, ":")
	highest := f.levels[kind]
	known := slices.ContainsFunc(f.compressions, func(c string) bool { c, _, _ = strings.Cut(c, ":"); return c == kind })
	n, err := strconv.Atoi(level)
	switch {
	case !known:
		return fmt.Errorf("%s packages cannot be compressed with %q; use %s", f.name, kind, strings.Join(f.compressions, ", "))
	case leveled && highest == 0:
		return fmt.Errorf("%s packages cannot be compressed with %q: %s has no level here; use %s", f.name, c, kind, kind)
	case leveled && (err != nil || n < 1 || n > highest || strconv.Itoa(n) != level):
		return fmt.Errorf("%s packages cannot be compressed with %q; a level of %s is a number from 1 to %d", f.name, c, kind, highest)
	}
	return nil
}
