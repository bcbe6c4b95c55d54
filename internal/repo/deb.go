package repo

import (
	"archive/tar"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

const (
	maxControl = 1 << 20 // bytes of a control file
	maxFile    = 4 << 20 // bytes that Deb.File returns
	maxWindow  = 128 << 20
)

// Deb is one binary package, opened by [ReadDeb]. It reads from the source
// that it was opened on, which the caller keeps open and closes. Its methods
// may be called at the same time.
type Deb struct {
	Name, Version, Architecture string

	control []field
	data    *io.SectionReader
	suffix  string // of the data member: ".zst"
}

// Source is where a package is read from: a bytes.Reader, an io.SectionReader.
type Source interface {
	io.ReaderAt
	Size() int64 // bytes
}

// ReadDeb reads the head of a package, deb(5) format 2.0 with no, gzip, xz,
// zstd or bzip2 compression, and checks the fields that name it. The payload
// is not read; [Deb.Check] does that.
func ReadDeb(r Source) (*Deb, error) {
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
	body, err := readTarFile(section(kept[1]), strings.TrimPrefix(kept[1].name, "control.tar"), "control", maxControl)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", kept[1].name, err)
	}
	fields, err := parseControl(string(body))
	if err != nil {
		return nil, err
	}
	d := &Deb{
		Name:         fieldValue(fields, "Package"),
		Version:      fieldValue(fields, "Version"),
		Architecture: fieldValue(fields, "Architecture"),
		control:      fields,
		data:         section(kept[2]),
		suffix:       strings.TrimPrefix(kept[2].name, "data.tar"),
	}
	if err := checkIdentity(d.Name, d.Version, d.Architecture); err != nil {
		return nil, err
	}
	return d, nil
}

// File returns the content of one regular file of the payload, up to 4 MiB.
// name is its absolute path on a host. The error of a file that the package
// does not carry is fs.ErrNotExist.
func (d *Deb) File(name string) ([]byte, error) {
	data := io.NewSectionReader(d.data, 0, d.data.Size())
	body, err := readTarFile(data, d.suffix, name, maxFile)
	if err != nil {
		return nil, fmt.Errorf("read %s from %s %s: %w", name, d.Name, d.Version, err)
	}
	return body, nil
}

// Check reads the whole payload, so that a damaged one is found: the checksums
// of its compression and the structure of its archive.
func (d *Deb) Check() error {
	data := io.NewSectionReader(d.data, 0, d.data.Size())
	err := walkTar(data, d.suffix, func(*tar.Header, io.Reader) (bool, error) { return false, nil })
	if err != nil {
		return fmt.Errorf("data.tar%s: %w", d.suffix, err)
	}
	return nil
}

// readTarFile returns the content of the regular file name in a compressed
// tar archive; "./x", "/x" and "x" are one name.
func readTarFile(r io.Reader, suffix, name string, limit int64) ([]byte, error) {
	want := path.Join("/", name)
	var body []byte
	found := false
	err := walkTar(r, suffix, func(h *tar.Header, content io.Reader) (bool, error) {
		if path.Join("/", h.Name) != want {
			return false, nil
		}
		if h.Typeflag != tar.TypeReg {
			return false, fmt.Errorf("%s is not a regular file", name)
		}
		found = true
		var err error
		body, err = readAllLimit(content, limit)
		return true, err
	})
	if err == nil && !found {
		err = fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	}
	return body, err
}

// walkTar calls visit for every entry until it says done or fails. Without
// that, it reads to the very end, past the archive, where the compression's
// own checksum is.
func walkTar(r io.Reader, suffix string, visit func(*tar.Header, io.Reader) (done bool, err error)) error {
	plain, closer, err := decompress(r, suffix)
	if err != nil {
		return err
	}
	defer closer()
	archive := tar.NewReader(plain)
	for {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			_, err = io.Copy(io.Discard, plain)
			return err
		}
		if err != nil {
			return err
		}
		if done, err := visit(h, archive); done || err != nil {
			return err
		}
	}
}

// decompress opens a tar member by the suffix of its name.
func decompress(r io.Reader, suffix string) (plain io.Reader, closer func(), err error) {
	closer = func() {}
	switch suffix {
	case "":
		return r, closer, nil
	case ".gz":
		plain, err = gzip.NewReader(r)
		return plain, closer, err
	case ".xz":
		plain, err = xz.NewReader(r)
		return plain, closer, err
	case ".bz2":
		return bzip2.NewReader(r), closer, nil
	case ".zst":
		d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, closer, err
		}
		return d, d.Close, nil
	}
	return nil, closer, fmt.Errorf("compression %q is not known", suffix)
}

var errTooLong = errors.New("longer")

// readAllLimit is io.ReadAll for content that must not be longer than limit.
func readAllLimit(r io.Reader, limit int64) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(body)) > limit {
		return nil, fmt.Errorf("%w than %d bytes", errTooLong, limit)
	}
	return body, err
}
