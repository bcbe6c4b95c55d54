package repo

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// release is the root of a suite: what Release says, before it is signed.
// Fields are those of Debian's RepositoryFormat, "Release files".
type release struct {
	origin, suite string
	date          time.Time
	architectures []string
	files         []releaseFile // sorted by path
}

// releaseFile is an index file that the root vouches for.
type releaseFile struct {
	path   string // relative to the suite
	size   int64
	sha256 string
}

// dateLayout is what Release's Date looks like; the zone must be UTC.
const dateLayout = "Mon, 02 Jan 2006 15:04:05 UTC"

// render writes the Release file. Only SHA256 is given: apt has not needed
// MD5 or SHA1 since 2016, and neither proves anything.
func (r release) render() []byte {
	var b strings.Builder
	field := func(name, value string) { b.WriteString(name + ": " + value + "\n") }
	field("Origin", r.origin)
	field("Label", r.origin)
	field("Suite", r.suite)
	field("Codename", r.suite)
	field("Date", r.date.UTC().Format(dateLayout))
	field("Architectures", strings.Join(r.architectures, " "))
	field("Components", component)
	field("Acquire-By-Hash", "yes")
	field("Description", "Packages of "+r.origin+", suite "+r.suite)
	b.WriteString("SHA256:\n")
	for _, f := range r.files {
		fmt.Fprintf(&b, " %s %d %s\n", f.sha256, f.size, f.path)
	}
	return []byte(b.String())
}

// parseRelease reads what render wrote.
func parseRelease(text string) (release, error) {
	var r release
	section := ""
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(line, " ") {
			if section != "SHA256" {
				continue
			}
			f, err := parseReleaseFile(line)
			if err != nil {
				return r, err
			}
			r.files = append(r.files, f)
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		section, value = name, strings.TrimSpace(value)
		switch name {
		case "Origin":
			r.origin = value
		case "Suite":
			r.suite = value
		case "Architectures":
			r.architectures = strings.Fields(value)
		case "Date":
			var err error
			if r.date, err = time.Parse(dateLayout, value); err != nil {
				return r, fmt.Errorf("field Date: %w", err)
			}
		}
	}
	for _, arch := range r.architectures {
		if !archPattern.MatchString(arch) {
			return r, fmt.Errorf("field Architectures: %q", arch)
		}
	}
	slices.SortFunc(r.files, func(a, b releaseFile) int { return cmp.Compare(a.path, b.path) })
	if err := checkOrigin(r.origin); err != nil {
		return r, err
	}
	return r, checkSuite(r.suite)
}

func parseReleaseFile(line string) (releaseFile, error) {
	words := strings.Fields(line)
	if len(words) != 3 || !validSHA256(words[0]) {
		return releaseFile{}, fmt.Errorf("field SHA256: line %q", line)
	}
	size, err := strconv.ParseInt(words[1], 10, 64)
	if err != nil || size < 0 {
		return releaseFile{}, fmt.Errorf("field SHA256: size %q", words[1])
	}
	return releaseFile{path: words[2], size: size, sha256: words[0]}, nil
}

// file finds an index by its path.
func (r release) file(path string) (releaseFile, bool) {
	i, found := slices.BinarySearchFunc(r.files, path, func(f releaseFile, p string) int { return cmp.Compare(f.path, p) })
	if !found {
		return releaseFile{}, false
	}
	return r.files[i], true
}

func validSHA256(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == 32 && strings.ToLower(s) == s
}
