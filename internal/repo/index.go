package repo

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/kinectl/kinectl/internal/version"
)

// Entry is one package of a suite, as its index describes it.
type Entry struct {
	Name         string `json:"name"`
	Version      string `json:"version"`
	Architecture string `json:"architecture"`
	Filename     string `json:"filename"` // relative to the repository
	Size         int64  `json:"size"`     // bytes
	SHA256       string `json:"sha256"`   // lower-case hexadecimal

	stanza string // the paragraph of Packages, ending in one newline
}

// indexes are the packages of a suite by architecture, each list sorted by
// name and version, oldest first. A package of architecture "all" is in every
// list, since that is what every apt reads.
type indexes map[string][]Entry

const archAll = "all"

// newEntry describes a package file by its control fields, size and digest.
func newEntry(d *Deb, size int64, sha256 string) Entry {
	e := Entry{
		Name: d.Name, Version: d.Version, Architecture: d.Architecture,
		Filename: poolPath(d.Name, d.Version, d.Architecture), Size: size, SHA256: sha256,
	}
	var b strings.Builder
	line := func(name, value string) {
		// A value that starts on the next line gets no blank at the end of this one.
		b.WriteString(strings.TrimRight(name+": "+strings.SplitN(value, "\n", 2)[0], " ") + "\n")
		if _, rest, found := strings.Cut(value, "\n"); found {
			b.WriteString(rest + "\n")
		}
	}
	line("Package", d.Name)
	line("Version", d.Version)
	line("Architecture", d.Architecture)
	for _, f := range d.control {
		if !indexField(f.name) {
			line(f.name, f.value)
		}
	}
	line("Filename", e.Filename)
	line("Size", strconv.FormatInt(size, 10))
	line("SHA256", sha256)
	e.stanza = b.String()
	return e
}

// indexField tells whether a field is the index's to write, whatever the
// package says and however it spells the name.
func indexField(name string) bool {
	switch strings.ToLower(name) {
	case "package", "version", "architecture", "filename", "size", "md5sum", "sha1", "sha256", "sha512":
		return true
	}
	return false
}

// parseIndex reads a Packages file that [renderIndex] wrote.
func parseIndex(body []byte) ([]Entry, error) {
	var entries []Entry
	for stanza := range strings.SplitSeq(string(body), "\n\n") {
		stanza = strings.TrimRight(stanza, "\n")
		if stanza == "" {
			continue
		}
		e := Entry{stanza: stanza + "\n"}
		for line := range strings.SplitSeq(stanza, "\n") {
			name, value, _ := strings.Cut(line, ": ")
			switch name {
			case "Package":
				e.Name = value
			case "Version":
				e.Version = value
			case "Architecture":
				e.Architecture = value
			case "Filename":
				e.Filename = value
			case "SHA256":
				e.SHA256 = value
			case "Size":
				var err error
				if e.Size, err = strconv.ParseInt(value, 10, 64); err != nil || e.Size < 0 {
					return nil, fmt.Errorf("package %d of the index: size %q", len(entries)+1, value)
				}
			}
		}
		if e.Name == "" || e.Version == "" || e.Filename != poolPath(e.Name, e.Version, e.Architecture) ||
			!fs.ValidPath(e.Filename) || !validSHA256(e.SHA256) {
			return nil, fmt.Errorf("package %d of the index: %q is not a valid entry", len(entries)+1, e.Name)
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// renderIndex writes a Packages file.
func renderIndex(entries []Entry) []byte {
	var b bytes.Buffer
	for i, e := range entries {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(e.stanza)
	}
	return b.Bytes()
}

// with returns the indexes after adding entries, and which of these were new.
// The receiver is left as it was. An entry that is there with the same content
// is not new; one with other content is an error, as are all of them at once.
func (x indexes) with(entries []Entry) (next indexes, isNew []bool, err error) {
	next = make(indexes, len(x)+1)
	known := map[string]map[string]Entry{} // architecture, then key
	for arch, list := range x {
		next[arch] = slices.Clip(list)
		known[arch] = make(map[string]Entry, len(list))
		for _, e := range list {
			known[arch][e.key()] = e
		}
	}
	var faults []error
	touched := map[string]bool{}
	for _, e := range entries {
		if e.Architecture != archAll && next[e.Architecture] == nil {
			next[e.Architecture], known[e.Architecture] = newArchitecture(next)
			touched[e.Architecture] = true
		}
		targets := []string{e.Architecture}
		if e.Architecture == archAll {
			targets = next.architectures()
		}
		added := false
		for _, arch := range targets {
			old, exists := known[arch][e.key()]
			if exists && (old.SHA256 != e.SHA256 || old.Architecture != e.Architecture || old.Version != e.Version) {
				faults = append(faults, conflict(e, old))
				break
			}
			if !exists {
				next[arch] = append(next[arch], e)
				known[arch][e.key()] = e
				touched[arch], added = true, true
			}
		}
		isNew = append(isNew, added)
	}
	for arch := range touched {
		slices.SortFunc(next[arch], compareEntries)
	}
	return next, isNew, errors.Join(faults...)
}

// newArchitecture is the index of an architecture that is seen for the first
// time: the packages that fit every architecture.
func newArchitecture(x indexes) (list []Entry, known map[string]Entry) {
	list, known = []Entry{}, map[string]Entry{}
	for _, others := range x {
		for _, e := range others {
			if e.Architecture == archAll && known[e.key()].Name == "" {
				list = append(list, e)
				known[e.key()] = e
			}
		}
	}
	return list, known
}

// conflict explains why e cannot join a suite that has old.
func conflict(e, old Entry) error {
	if old.Version != e.Version {
		return fmt.Errorf("%s %s %s would take the file name of version %s", e.Name, e.Version, e.Architecture, old.Version)
	}
	if old.Architecture != e.Architecture {
		return fmt.Errorf("%s %s is there for architecture %s; one version is for %s or for single architectures, not both",
			e.Name, e.Version, old.Architecture, archAll)
	}
	return fmt.Errorf("%s %s %s is there with other content (sha256 %.12s…, this is %.12s…); a published version never changes",
		e.Name, e.Version, e.Architecture, old.SHA256, e.SHA256)
}

// key names a package within one architecture. As in file names, the epoch
// does not count.
func (e Entry) key() string { return e.Name + "\x00" + withoutEpoch(e.Version) }

func compareEntries(a, b Entry) int {
	return cmp.Or(
		cmp.Compare(a.Name, b.Name),
		version.CompareDeb(a.Version, b.Version),
		cmp.Compare(a.Version, b.Version),
		cmp.Compare(a.Architecture, b.Architecture),
	)
}

// architectures lists the indexes by name, sorted.
func (x indexes) architectures() []string {
	names := make([]string, 0, len(x))
	for arch := range x {
		names = append(names, arch)
	}
	slices.Sort(names)
	return names
}

// all lists every package once, sorted.
func (x indexes) all() []Entry {
	var entries []Entry
	for _, arch := range x.architectures() {
		entries = append(entries, x[arch]...)
	}
	slices.SortFunc(entries, compareEntries)
	return slices.CompactFunc(entries, func(a, b Entry) bool { return compareEntries(a, b) == 0 })
}
