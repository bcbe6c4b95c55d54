package apt

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Release is the root of a suite: what the Release file says. Fields are those
// of Debian's RepositoryFormat, "Release files".
type Release struct {
	Origin, Suite string
	Date          time.Time
	ValidUntil    time.Time // after which hosts refuse it; zero for never
	Architectures []string  // sorted, without "all"
	Files         []File    // sorted by path
}

// File is an index file that the root vouches for.
type File struct {
	Path   string // relative to the suite
	Size   int64  // bytes
	SHA256 string // lower-case hexadecimal
}

// dateLayout is what Date looks like; the zone must be UTC.
const dateLayout = "Mon, 02 Jan 2006 15:04:05 UTC"

// render writes the Release file. Only SHA256 is given: apt has not needed MD5
// or SHA1 since 2016, and neither proves anything.
func (r Release) render() []byte {
	var b strings.Builder
	field := func(name, value string) { b.WriteString(name + ": " + value + "\n") }
	field("Origin", r.Origin)
	field("Label", r.Origin)
	field("Suite", r.Suite)
	field("Codename", r.Suite)
	field("Date", r.Date.UTC().Format(dateLayout))
	if !r.ValidUntil.IsZero() {
		field("Valid-Until", r.ValidUntil.UTC().Format(dateLayout))
	}
	field("Architectures", strings.Join(r.Architectures, " "))
	field("Components", Component)
	// They are in the index of every architecture, and there is no binary-all.
	field("No-Support-for-Architecture-all", "Packages")
	field("Acquire-By-Hash", "yes")
	field("Description", "Packages of "+r.Origin+", suite "+r.Suite)
	b.WriteString("SHA256:\n")
	for _, f := range r.Files {
		fmt.Fprintf(&b, " %s %d %s\n", f.SHA256, f.Size, f.Path)
	}
	return []byte(b.String())
}

// parseRelease reads what render wrote, and what earlier versions of it did.
func parseRelease(text string) (Release, error) {
	var r Release
	section := ""
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(line, " ") {
			if section != "SHA256" {
				continue
			}
			f, err := parseFile(line)
			if err != nil {
				return r, err
			}
			r.Files = append(r.Files, f)
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		section, value = name, strings.TrimSpace(value)
		var err error
		switch name {
		case "Origin":
			r.Origin = value
		case "Suite":
			r.Suite = value
		case "Architectures":
			r.Architectures = strings.Fields(value)
		case "Date":
			r.Date, err = time.Parse(dateLayout, value)
		case "Valid-Until":
			r.ValidUntil, err = time.Parse(dateLayout, value)
		}
		if err != nil {
			return r, fmt.Errorf("field %s: %w", name, err)
		}
	}
	for _, arch := range r.Architectures {
		if !archPattern.MatchString(arch) || arch == archAll {
			return r, fmt.Errorf("field Architectures: %q", arch)
		}
	}
	slices.Sort(r.Architectures)
	slices.SortFunc(r.Files, compareFiles)
	if err := CheckOrigin(r.Origin); err != nil {
		return r, err
	}
	return r, CheckSuite(r.Suite)
}

func parseFile(line string) (File, error) {
	words := strings.Fields(line)
	if len(words) != 3 || !validSHA256(words[0]) {
		return File{}, fmt.Errorf("field SHA256: line %q", line)
	}
	size, err := strconv.ParseInt(words[1], 10, 64)
	if err != nil || size < 0 {
		return File{}, fmt.Errorf("field SHA256: size %q", words[1])
	}
	return File{Path: words[2], Size: size, SHA256: words[0]}, nil
}

func compareFiles(a, b File) int { return cmp.Compare(a.Path, b.Path) }

// File finds an index by its path, relative to the suite.
func (r Release) File(path string) (File, bool) {
	i, found := slices.BinarySearchFunc(r.Files, File{Path: path}, compareFiles)
	if !found {
		return File{}, false
	}
	return r.Files[i], true
}

// with is the root with some index files replaced or added.
func (r Release) with(files []File) Release {
	all := slices.Concat(files, r.Files)
	slices.SortStableFunc(all, compareFiles)
	r.Files = slices.CompactFunc(all, func(a, b File) bool { return a.Path == b.Path })
	return r
}

// dated is the root at a later time. Its date never goes back: a clock that was
// set back must not make apt take a new root for an older one and ignore it.
// Without validFor, the root is valid for as long as the one before.
func (r Release) dated(now time.Time, validFor *time.Duration) Release {
	valid := time.Duration(0)
	if !r.ValidUntil.IsZero() {
		valid = r.ValidUntil.Sub(r.Date)
	}
	if validFor != nil {
		valid = *validFor
	}
	if now = now.UTC().Truncate(time.Second); now.After(r.Date) {
		r.Date = now
	}
	r.ValidUntil = time.Time{}
	if valid > 0 {
		r.ValidUntil = r.Date.Add(valid)
	}
	return r
}

func validSHA256(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == 32 && strings.ToLower(s) == s
}
