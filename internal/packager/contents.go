package packager

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goreleaser/nfpm/v2/files"

	"github.com/kinectl/kinectl/internal/artifact"
)

// entry is one file, folder or link of a package.
type entry struct {
	kind        string // files.TypeFile and so on
	destination string
	source      string // path on this machine; of a link, where it points
	body        []byte // in place of a source
	mode        fs.FileMode
	group       string // "" is root
	from        string // for people
}

// settle lists what goes into the package, by its place. It refuses what
// cannot be packed, and two things for one place.
func settle(c Contents) ([]entry, error) {
	name := c.Plan.Name
	// The environment file comes with a release; its folder is ours.
	all := []entry{{kind: files.TypeDir, destination: "/etc/" + name, mode: 0o755, from: "kinectl"}}
	if c.Binary != "" {
		program, err := filepath.EvalSymlinks(c.Binary)
		if err != nil {
			return nil, missing(c.Binary, err)
		}
		mode := fs.FileMode(0o755)
		if c.Secret {
			mode = 0o750
		}
		all = append(all, entry{kind: files.TypeFile, destination: "/usr/bin/" + name, source: program, mode: mode, from: c.Binary})
	}
	for _, f := range c.Rendered {
		if f.Install != "" {
			all = append(all, entry{kind: files.TypeFile, destination: f.Install, body: f.Body, mode: f.Mode.Perm(), from: f.Path})
		}
	}
	for _, f := range documents(c) {
		all = append(all, entry{kind: files.TypeFile, destination: f.Install, body: f.Body, mode: 0o644, from: f.Path})
	}
	for _, f := range c.Files {
		below, err := walk(f)
		if err != nil {
			return nil, err
		}
		all = append(all, below...)
	}
	private(all, c)
	return check(all)
}

// private gives the program and files of the spec that not everybody may read to the service's
// group: else nobody but root could, and the service is not root.
func private(all []entry, c Contents) {
	made := slices.ContainsFunc(c.Rendered, func(f artifact.File) bool { return strings.HasPrefix(f.Install, "/usr/lib/sysusers.d/") })
	for i, e := range all {
		if made && (e.kind == files.TypeFile || e.kind == files.TypeConfigNoReplace) && e.body == nil && e.mode&0o004 == 0 {
			all[i].group = c.Plan.Unit.Group
		}
	}
}

// check refuses places that are none or taken, and makes configuration of
// what is in /etc (Debian Policy 10.7.2). A folder that two bring is one.
func check(all []entry) ([]entry, error) {
	taken := map[string]entry{}
	var out []entry
	for _, e := range all {
		if !path.IsAbs(e.destination) || path.Clean(e.destination) != e.destination || e.destination == "/" {
			return nil, fmt.Errorf("%s would be installed as %q, which is no absolute path", e.from, e.destination)
		}
		if e.kind == files.TypeFile && strings.HasPrefix(e.destination, "/etc/") {
			e.kind = files.TypeConfigNoReplace
		}
		if err := checkName(e); err != nil {
			return nil, err
		}
		if e.body == nil && e.source == "" && e.kind != files.TypeDir {
			e.body = []byte{} // a rendered file without content
		}
		if other, ok := taken[e.destination]; ok {
			if e.kind == files.TypeDir && other.kind == files.TypeDir {
				continue
			}
			return nil, fmt.Errorf("both %s and %s would be installed as %s; give one another place", other.from, e.from, e.destination)
		}
		taken[e.destination] = e
		out = append(out, e)
	}
	for _, e := range out {
		for dir := path.Dir(e.destination); dir != "/"; dir = path.Dir(dir) {
			if other, ok := taken[dir]; ok && other.kind != files.TypeDir {
				return nil, fmt.Errorf("%s would be installed below %s, which is a file (%s); give one another place", e.from, dir, other.from)
			}
		}
	}
	return out, nil
}

// checkName refuses names that a package manager stumbles over. dpkg has lists
// of files by lines, and one of configuration by words (deb-conffiles(5)).
func checkName(e entry) error {
	config := e.kind == files.TypeConfigNoReplace || strings.HasPrefix(e.destination, "/etc/")
	for _, r := range e.destination {
		switch {
		case unicode.IsControl(r) || r == utf8.RuneError:
			return fmt.Errorf("%q would be installed as %q; no package takes a name with control characters or that is not UTF-8, so rename it", e.from, e.destination)
		case config && (r > unicode.MaxASCII || unicode.IsSpace(r)):
			return fmt.Errorf("%q would be installed as %q; the names of configuration files are ASCII without blanks, so rename it", e.from, e.destination)
		}
	}
	if e.kind == files.TypeSymlink && strings.ContainsFunc(e.source, unicode.IsControl) {
		return fmt.Errorf("%q is a link to %q, a name with control characters; rename that", e.from, e.source)
	}
	return nil
}

// walk lists a file, or all that is in a folder, in the order of their names.
func walk(f File) ([]entry, error) {
	kind := files.TypeFile
	if f.Config {
		kind = files.TypeConfigNoReplace
	}
	root, err := filepath.EvalSymlinks(f.Source)
	if err != nil {
		return nil, missing(f.Source, err)
	}
	var all []entry
	err = filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return missing(name, err)
		}
		info, err := d.Info()
		if err != nil {
			return missing(name, err)
		}
		rest, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		e := entry{kind: kind, destination: path.Join(strings.TrimSuffix(f.Destination, "/"), filepath.ToSlash(rest)), source: name, mode: mode(f, info), from: filepath.Join(f.Source, rest)}
		switch {
		case d.IsDir():
			e.kind, e.source = files.TypeDir, ""
		case d.Type() == fs.ModeSymlink:
			target, err := os.Readlink(name)
			if err != nil {
				return missing(name, err)
			}
			if !filepath.IsLocal(filepath.Join(filepath.Dir(rest), target)) || filepath.IsAbs(target) {
				return fmt.Errorf("%s is a link to %s, out of its folder; put the file itself there", e.from, target)
			}
			e.kind, e.source, e.mode = files.TypeSymlink, filepath.ToSlash(target), 0o777
		case !d.Type().IsRegular():
			return fmt.Errorf("%s is neither a file nor a folder; take it away", e.from)
		}
		all = append(all, e)
		return nil
	})
	return all, err
}

// mode is the permission bits of a file or folder. Those that it has here say
// only whether it can be executed: the rest is up to somebody's umask.
func mode(f File, info fs.FileInfo) fs.FileMode {
	switch {
	case info.IsDir() && f.Mode != 0:
		return f.Mode.Perm() | f.Mode.Perm()&0o444>>2 // who may read a folder may enter it
	case info.IsDir():
		return 0o755
	case f.Mode != 0:
		return f.Mode.Perm()
	case info.Mode().Perm()&0o111 != 0:
		return 0o755
	}
	return 0o644
}

// missing says what to do about a file that cannot be read.
func missing(name string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w; build or fetch it first, or mend its path", err)
	}
	return fmt.Errorf("%s: %w", name, err)
}
