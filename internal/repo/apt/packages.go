package apt

import (
	"bytes"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/kinectl/kinectl/internal/repo/debfile"
	"github.com/kinectl/kinectl/internal/repo/index"
)

// Package is one package that joins a suite.
type Package struct {
	Entry   index.Entry // whose Filename is its PoolPath
	Control []debfile.Field
	Files   []string // absolute paths of all but directories
}

// NewPackage describes a package file of that size and digest, with the files
// that its payload has, and when it joins.
func NewPackage(d *debfile.Package, size int64, sha256 string, files []string, published time.Time) Package {
	return Package{
		Entry: index.Entry{
			Format: format, Name: d.Name, Version: d.Version, Architecture: d.Architecture,
			Filename: PoolPath(d.Name, d.Version, d.Architecture), Size: size, SHA256: sha256,
			Published: published.UTC().Truncate(time.Second),
		},
		Control: d.Control(), Files: files,
	}
}

// packagesLayout is that of Packages. Every stanza ends in an empty line, the
// last one too, so that stanzas can be put together as they are.
func packagesLayout() index.Layout { return index.Layout{Split: splitStanza, Key: stanzaKey} }

func splitStanza(text []byte) (stanza, rest []byte) {
	if i := bytes.Index(text, []byte("\n\n")); i >= 0 {
		return text[:i+2], text[i+2:]
	}
	if len(text) < 2 || text[len(text)-1] != '\n' {
		return nil, text
	}
	return append(bytes.Clone(text), '\n'), nil // the last stanza of an older index
}

func stanzaKey(stanza []byte) string {
	var name, version, arch string
	for key, value := range fields(stanza) {
		switch key {
		case "Package":
			name = value
		case "Version":
			version = value
		case "Architecture":
			arch = value
		}
		if name != "" && version != "" && arch != "" {
			return index.Key(name, version, arch)
		}
	}
	return ""
}

// fields yields the first line of every field.
func fields(stanza []byte) func(yield func(key, value string) bool) {
	return func(yield func(key, value string) bool) {
		for len(stanza) > 0 {
			line, rest, _ := bytes.Cut(stanza, []byte("\n"))
			stanza = rest
			if len(line) == 0 || line[0] == ' ' || line[0] == '\t' {
				continue
			}
			if key, value, _ := bytes.Cut(line, []byte(": ")); !yield(string(key), string(value)) {
				return
			}
		}
	}
}

// stanza is the paragraph of Packages: what the package says of itself, then
// what the repository adds, then an empty line.
func (p Package) stanza() []byte {
	var b bytes.Buffer
	line := func(name, value string) {
		// A value that starts on the next line gets no blank at the end of this one.
		first, rest, more := strings.Cut(value, "\n")
		b.WriteString(strings.TrimRight(name+": "+first, " ") + "\n")
		if more {
			b.WriteString(rest + "\n")
		}
	}
	e := p.Entry
	line("Package", e.Name)
	line("Version", e.Version)
	line("Architecture", e.Architecture)
	for _, f := range p.Control {
		if !ours(f.Name) {
			line(f.Name, f.Value)
		}
	}
	line("Filename", e.Filename)
	line("Size", strconv.FormatInt(e.Size, 10))
	line("SHA256", e.SHA256)
	if !e.Published.IsZero() {
		line("Published", e.Published.UTC().Format(time.RFC3339))
	}
	b.WriteByte('\n')
	return b.Bytes()
}

// ours tells whether a field is the index's to write, whatever the package says
// and however it spells the name.
func ours(field string) bool {
	switch strings.ToLower(field) {
	case "package", "version", "architecture", "filename", "size", "md5sum", "sha1", "sha256", "sha512", "published":
		return true
	}
	return false
}

// parseStanza reads what stanza wrote; section is the field Section.
func parseStanza(stanza []byte) (e index.Entry, section string, err error) {
	e.Format = format
	fault := func(field, value string) (index.Entry, string, error) {
		return index.Entry{}, "", fmt.Errorf("%w: Packages: package %q: %s is %q", ErrDamaged, e.Name, field, value)
	}
	for key, value := range fields(stanza) {
		switch key {
		case "Package":
			e.Name = value
		case "Version":
			e.Version = value
		case "Architecture":
			e.Architecture = value
		case "Section":
			section = value
		case "Filename":
			e.Filename = value
		case "SHA256":
			e.SHA256 = value
		case "Size":
			if e.Size, err = strconv.ParseInt(value, 10, 64); err != nil || e.Size < 0 {
				return fault(key, value)
			}
		case "Published":
			if e.Published, err = time.Parse(time.RFC3339, value); err != nil {
				return fault(key, value)
			}
		}
	}
	if err := check(e); err != nil {
		return index.Entry{}, "", fmt.Errorf("%w: Packages: %w", ErrDamaged, err)
	}
	return e, section, nil
}

// check refuses an entry that would leave its line or its directory.
func check(e index.Entry) error {
	switch {
	case e.Name == "" || e.Version == "" || e.Architecture == "" || strings.ContainsAny(e.Name+e.Version+e.Architecture, " \t\n/"),
		e.Filename != PoolPath(e.Name, e.Version, e.Architecture), !fs.ValidPath(e.Filename):
		return fmt.Errorf("package %q %q %q: no package has this name in the pool: %q", e.Name, e.Version, e.Architecture, e.Filename)
	case e.Architecture != archAll && !archPattern.MatchString(e.Architecture):
		return fmt.Errorf("package %s %s: %q is not an architecture", e.Name, e.Version, e.Architecture)
	case !validSHA256(e.SHA256) || e.Size < 0 || e.Format != format:
		return fmt.Errorf("package %s %s: digest %q, size %d and format %q are not those of a package", e.Name, e.Version, e.SHA256, e.Size, e.Format)
	}
	return nil
}
