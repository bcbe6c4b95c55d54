package repo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"

	"github.com/cavaliergopher/cpio"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/therootcompany/xz"

	"github.com/kinectl/kinectl/internal/repo/debfile"
	"github.com/kinectl/kinectl/internal/repo/rpmfile"
)

// Carried is the spec.yml that a package carries.
type Carried struct {
	File, Name string // of the package
	Spec       []byte
}

// maxSpec bounds what is read of a package in bytes; no spec is near it.
const maxSpec = 1 << 20

// CarriedSpecs reads the specs out of packages, given as for [Publish]. Packages that
// carry none were not made by kinectl and are left out. A package that cannot be
// read is an error: nobody knows what it carries.
func CarriedSpecs(ctx context.Context, names []string) ([]Carried, error) {
	files, err := packageFiles(names)
	if err != nil {
		return nil, err
	}
	all := make([]Carried, len(files))
	err = forAll(ctx, len(files), func(i int) error {
		p, err := readPackage(ctx, files[i])
		if err == nil {
			all[i], err = carried(p)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", files[i], err)
		}
		return nil
	})
	if err != nil {
		return nil, refused(err)
	}
	found := all[:0]
	for _, c := range all {
		if c.Spec != nil {
			found = append(found, c)
		}
	}
	return found, nil
}

func carried(p pkg) (Carried, error) {
	c := Carried{File: p.file.name}
	place := func() string { return "/usr/share/kinectl/" + c.Name + "/spec.yml" }
	if p.rpm != nil {
		c.Name = p.rpm.Name
		for _, f := range p.rpm.Files {
			if f.Path == place() {
				body, err := rpmMember(p.file, p.rpm, place())
				c.Spec = body
				return c, err
			}
		}
		return c, nil
	}
	d, err := debfile.Read(p.file)
	if err != nil {
		return c, err
	}
	c.Name = debfile.Value(d.Control(), "Package")
	body, err := d.File(place())
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	c.Spec = body
	return c, err
}

// rpmMember reads one file of an rpm's payload: a cpio archive behind the header,
// compressed as its first bytes say (rpm's format documentation, "Payload").
func rpmMember(source rpmfile.Source, p *rpmfile.Package, name string) ([]byte, error) {
	_, start := p.HeaderRange()
	payload := io.NewSectionReader(source, start, source.Size()-start)
	head := make([]byte, 6)
	if _, err := payload.ReadAt(head, 0); err != nil {
		return nil, err
	}
	var plain io.Reader = payload
	var err error
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		plain, err = gzip.NewReader(payload)
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		d, bad := zstd.NewReader(payload, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
		if bad == nil {
			defer d.Close()
		}
		plain, err = d, bad
	case bytes.HasPrefix(head, []byte{0xfd, '7', 'z', 'X', 'Z', 0}):
		plain, err = xz.NewReader(payload, xz.DefaultDictMax)
	}
	if err != nil {
		return nil, err
	}
	for archive := cpio.NewReader(plain); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%s is in its header and not in its payload", name)
		}
		if err != nil {
			return nil, err
		}
		if path.Join("/", h.Name) == name {
			body, err := io.ReadAll(io.LimitReader(archive, maxSpec+1))
			if err == nil && len(body) > maxSpec {
				err = fmt.Errorf("%s is larger than %d bytes", name, maxSpec)
			}
			return body, err
		}
	}
}
