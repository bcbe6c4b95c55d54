// Package debfile reads and checks Debian binary packages, deb(5) format 2.x:
// an ar archive of debian-binary, control.tar and data.tar, both of these
// plain or compressed.
//
// Start at [Read], which reads the head of a package, checks it and gives a
// [Package]; [Package.Payload] reads the rest, lists its files and finds
// damage.
package debfile

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

const (
	maxControl = 1 << 20 // bytes of a control file
	maxFile    = 4 << 20 // bytes that Package.File returns
)

// Source is where a package is read from: a bytes.Reader, an io.SectionReader.
type Source interface {
	io.ReaderAt
	Size() int64 // bytes
}

// Package is one binary package, opened by [Read]. It reads from the source
// that it was opened on, which the caller keeps open and closes. Its methods
// may be called at the same time.
type Package struct {
	Name, Version, Architecture string

	fields        []Field
	control, data part
}

// part is one of the two archives of a package.
type part struct {
	name   string // of the ar member: "data.tar.xz"
	source *io.SectionReader
}

// Read reads the head of a package and checks it to the end of its control
// archive: the structure, the compression's checksum, the control file and the
// fields that name the package. The payload is not read; [Package.Payload]
// does that. Compressions are none, gzip, xz, zstd, bzip2 and lzma.
func Read(r Source) (*Package, error) {
	members, err := readMembers(r, r.Size())
	if err != nil {
		return nil, err
	}
	section := func(m member) *io.SectionReader { return io.NewSectionReader(r, m.offset, m.size) }
	var kept []member // deb(5): names that start with an underscore are to be skipped
	for _, m := range members {
		if !strings.HasPrefix(m.name, "_") {
			kept = append(kept, m)
		}
	}
	if len(kept) < 3 || kept[0].name != "debian-binary" ||
		!strings.HasPrefix(kept[1].name, "control.tar") || !strings.HasPrefix(kept[2].name, "data.tar") {
		return nil, errors.New("not a Debian package: the members are not debian-binary, control.tar and data.tar")
	}
	format, err := readAllLimit(section(kept[0]), 64)
	if err != nil {
		return nil, fmt.Errorf("debian-binary: %w", err)
	}
	if !strings.HasPrefix(string(format), "2.") {
		return nil, fmt.Errorf("package format %q, only 2.x is known", strings.TrimSpace(string(format)))
	}
	p := &Package{
		control: part{kept[1].name, section(kept[1])},
		data:    part{kept[2].name, section(kept[2])},
	}
	if err := p.readControl(); err != nil {
		return nil, err
	}
	p.Name, p.Version, p.Architecture = Value(p.fields, "Package"), Value(p.fields, "Version"), Value(p.fields, "Architecture")
	return p, errors.Join(checkIdentity(p.Name, p.Version, p.Architecture), checkRelations(p.fields))
}

// readControl reads the whole control archive, and so checks it.
func (p *Package) readControl() error {
	var body []byte
	err := p.control.walk(context.Background(), func(h *tar.Header, content io.Reader) (done bool, err error) {
		if path.Join("/", h.Name) == "/control" && h.Typeflag == tar.TypeReg {
			body, err = readAllLimit(content, maxControl)
		}
		return false, err
	})
	if err != nil {
		return err
	}
	if body == nil {
		return fmt.Errorf("%s: control: %w", p.control.name, fs.ErrNotExist)
	}
	if p.fields, err = ParseControl(string(body)); err != nil {
		return fmt.Errorf("control: %w", err)
	}
	return nil
}

// Control is the fields of the control file, in its order. Nobody changes them.
func (p *Package) Control() []Field { return p.fields }

// File returns the content of one regular file of the payload, up to 4 MiB.
// name is its absolute path on a host. The error of a file that the package
// does not carry is fs.ErrNotExist. It reads the payload up to there.
func (p *Package) File(name string) ([]byte, error) {
	want := path.Join("/", name)
	var body []byte
	found := false
	err := p.data.walk(context.Background(), func(h *tar.Header, content io.Reader) (done bool, err error) {
		if path.Join("/", h.Name) != want {
			return false, nil
		}
		if h.Typeflag != tar.TypeReg {
			return false, fmt.Errorf("%s is not a regular file", name)
		}
		found = true
		body, err = readAllLimit(content, maxFile)
		return true, err
	})
	if err == nil && !found {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, fmt.Errorf("read %s from %s %s: %w", name, p.Name, p.Version, err)
	}
	return body, nil
}

// errTooLong: what is read is longer than it may be.
var errTooLong = errors.New("longer")

// readAllLimit is io.ReadAll for content that must not be longer than limit.
func readAllLimit(r io.Reader, limit int64) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(body)) > limit {
		return nil, fmt.Errorf("%w than %d bytes", errTooLong, limit)
	}
	return body, err
}
