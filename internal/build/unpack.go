package build

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// kinds are the archives that can be read, by the ends of their names. What
// has none of them is the program itself.
func kinds() []string {
	return []string{".tar.gz", ".tgz", ".tar.zst", ".tar.xz", ".zip", ".tar"}
}

// unpack writes one file of the archive f to out. It is the one called wanted,
// or name in the top folder where the spec does not say. No other entry is
// written anywhere, so none can land outside of its folder. limit is the most
// bytes that the program may have.
func unpack(ctx context.Context, f *os.File, archive, wanted, name, out string, limit int64) error {
	base, _, _ := strings.Cut(archive, "?") // of a URL
	kind := slices.IndexFunc(kinds(), func(k string) bool { return strings.HasSuffix(base, k) })
	if kind < 0 && wanted != "" {
		return fmt.Errorf("build.binary names a file inside of it, but it is no archive that can be read (%s)", strings.Join(kinds(), ", "))
	}
	if kind < 0 {
		return write(out, interruptible{ctx, f}, limit)
	}
	if wanted == "" {
		wanted = name
	}
	wanted = path.Clean(wanted)
	if kinds()[kind] == ".zip" {
		return unzip(ctx, f, wanted, out, limit)
	}
	plain, err := decompress(interruptible{ctx, f}, kinds()[kind])
	if err != nil {
		return fmt.Errorf("read it as %s: %w", kinds()[kind], err)
	}
	defer plain.Close()
	// What stands before the wanted file is read too: it must end some time.
	bounded := &io.LimitedReader{R: interruptible{ctx, plain}, N: 8 * limit}
	err = untar(bounded, wanted, out, limit)
	if bounded.N == 0 {
		return fmt.Errorf("it unpacks to more than %d bytes", 8*limit)
	}
	return err
}

func decompress(r io.Reader, kind string) (io.ReadCloser, error) {
	switch kind {
	case ".tar.gz", ".tgz":
		return gzip.NewReader(r)
	case ".tar.zst":
		d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(128<<20))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	case ".tar.xz":
		d, err := xz.NewReader(r)
		return io.NopCloser(d), err
	}
	return io.NopCloser(r), nil
}

// entry is one name of an archive.
type entry struct {
	name string
	mode fs.FileMode
	size int64
	link string // where a link of a tar leads
}

// check says why an entry that has the right name cannot be the program.
func (e entry) check(limit int64) error {
	switch {
	case e.link != "" || e.mode&fs.ModeSymlink != 0:
		return fmt.Errorf("%s in it is a link: name the file itself in build.binary", e.name)
	case !e.mode.IsRegular():
		return fmt.Errorf("%s in it is no file: name the program in build.binary", e.name)
	case e.size > limit:
		return fmt.Errorf("%s in it has %d bytes, more than %d", e.name, e.size, limit)
	}
	return nil
}

func untar(r io.Reader, wanted, out string, limit int64) error {
	var seen []entry
	for t := tar.NewReader(r); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return missing(wanted, seen)
		}
		if err != nil {
			return fmt.Errorf("read the archive: %w", err)
		}
		e := entry{path.Clean(h.Name), h.FileInfo().Mode(), h.Size, h.Linkname}
		if e.name != wanted {
			seen = append(seen, e)
			continue
		}
		if err := e.check(limit); err != nil {
			return err
		}
		return write(out, t, limit)
	}
}

func unzip(ctx context.Context, f *os.File, wanted, out string, limit int64) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	z, err := zip.NewReader(f, info.Size())
	if err != nil {
		return fmt.Errorf("read it as .zip: %w", err)
	}
	var seen []entry
	for _, in := range z.File {
		e := entry{name: path.Clean(in.Name), mode: in.Mode(), size: int64(min(in.UncompressedSize64, 1<<62))}
		if e.name != wanted {
			seen = append(seen, e)
			continue
		}
		if err := e.check(limit); err != nil {
			return err
		}
		body, err := in.Open()
		if err != nil {
			return fmt.Errorf("read the archive: %w", err)
		}
		defer body.Close()
		return write(out, interruptible{ctx, body}, limit)
	}
	return missing(wanted, seen)
}

// write copies the program to out, 0755.
func write(out string, r io.Reader, limit int64) error {
	f, err := os.OpenFile(out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	n, err := io.Copy(f, io.LimitReader(r, limit+1))
	if err == nil && n > limit {
		err = fmt.Errorf("the program has more than %d bytes", limit)
	}
	if err != nil {
		f.Close()
		return fmt.Errorf("read the archive: %w", err)
	}
	return f.Close()
}

// missing says what an archive has in place of the wanted file: files of the
// same name in another folder, else what can be run, else anything.
func missing(wanted string, seen []entry) error {
	seen = slices.DeleteFunc(seen, func(e entry) bool { return !e.mode.IsRegular() || e.link != "" })
	var near []string
	for _, like := range []func(entry) bool{
		func(e entry) bool { return path.Base(e.name) == path.Base(wanted) },
		func(e entry) bool { return e.mode&0o111 != 0 },
		func(entry) bool { return true },
	} {
		for _, e := range seen {
			if like(e) && len(near) < 5 {
				near = append(near, e.name)
			}
		}
		if len(near) > 0 {
			return fmt.Errorf("there is no file %s in it: build.binary may mean %s", wanted, strings.Join(near, ", "))
		}
	}
	return fmt.Errorf("there is no file %s in it, and no other", wanted)
}
