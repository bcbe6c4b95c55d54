package debfile

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/kinectl/kinectl/internal/lazyregexp"
)

// Field is one field of a control paragraph. A value of several lines keeps
// its newlines and the blanks that continuation lines start with.
type Field struct {
	Name, Value string
}

// ParseControl reads the one paragraph of a binary package's control file, by
// Debian policy 5.1 and deb-control(5). A second paragraph, a field given
// twice, a comment and a control character are errors: any of these could
// become a package of its own in the index.
func ParseControl(text string) ([]Field, error) {
	if !utf8.ValidString(text) {
		return nil, errors.New("not UTF-8")
	}
	var fields []Field
	seen := map[string]bool{}
	ended := false
	for i, line := range strings.Split(text, "\n") {
		fault := func(format string, args ...any) ([]Field, error) {
			return nil, fmt.Errorf("line %d: "+format, append([]any{i + 1}, args...)...)
		}
		if strings.IndexFunc(line, func(r rune) bool { return r != '\t' && unicode.IsControl(r) }) >= 0 {
			return fault("control character")
		}
		line = strings.TrimRight(line, " \t")
		switch {
		case line == "":
			ended = len(fields) > 0
			continue
		case ended:
			return fault("a second paragraph")
		case line[0] == ' ' || line[0] == '\t':
			if len(fields) == 0 {
				return fault("continues a field that does not exist")
			}
			fields[len(fields)-1].Value += "\n" + line
			continue
		}
		name, value, found := strings.Cut(line, ":")
		if !found || !fieldPattern.MatchString(name) {
			return fault("neither a field nor its continuation")
		}
		key := strings.ToLower(name)
		if seen[key] {
			return fault("field %s is given twice", name)
		}
		seen[key] = true
		fields = append(fields, Field{name, strings.TrimLeft(value, " \t")})
	}
	return fields, nil
}

// Value finds a field by name, whose case does not matter. A field that is not
// there is empty.
func Value(fields []Field, name string) string {
	for _, f := range fields {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

// Debian policy 5.6.7 (name) and 5.6.8 (architecture); deb-version(7).
var (
	fieldPattern    = lazyregexp.New(`^[A-Za-z0-9][!-9;-~]*$`)
	packagePattern  = lazyregexp.New(`^[a-z0-9][a-z0-9+.-]+$`)
	archPattern     = lazyregexp.New(`^[a-z0-9][a-z0-9-]*$`)
	epochPattern    = lazyregexp.New(`^[0-9]{1,9}$`)
	upstreamPattern = lazyregexp.New(`^[0-9][A-Za-z0-9.+~-]*$`)
	revisionPattern = lazyregexp.New(`^[A-Za-z0-9.+~]+$`)
)

// checkIdentity says every mistake in the three fields that name a package.
// What it lets pass is safe as part of a file name.
func checkIdentity(name, version, arch string) error {
	var faults []error
	add := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if !packagePattern.MatchString(name) || len(name) > 128 {
		add("field Package: %q is not a package name", name)
	}
	if !validVersion(version) || len(version) > 128 {
		add("field Version: %q is not a Debian version", version)
	}
	if !archPattern.MatchString(arch) || len(arch) > 64 || arch == "source" || arch == "any" {
		add("field Architecture: %q is not an architecture", arch)
	}
	return errors.Join(faults...)
}

func validVersion(v string) bool {
	if epoch, rest, found := strings.Cut(v, ":"); found {
		if !epochPattern.MatchString(epoch) {
			return false
		}
		v = rest
	}
	if i := strings.LastIndexByte(v, '-'); i >= 0 {
		if !revisionPattern.MatchString(v[i+1:]) {
			return false
		}
		v = v[:i]
	}
	return upstreamPattern.MatchString(v)
}
