package debfile

import (
	"archive/tar"
	"bufio"
	"compress/bzip2"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/therootcompany/xz"
	"github.com/ulikunitz/xz/lzma"
)

// How many bytes of history a decompressor may keep, whatever the compressed
// file asks for: the most that xz and zstd ask for by their own levels, and so
// the most that dpkg-deb does.
const (
	maxDictionary = 64 << 20
	maxWindow     = 128 << 20
)

// walk calls visit for every entry of the archive until it says done or fails.
// Without that, it reads to the very end, past the archive, where the
// compression's own checksum is. Errors say the part and the entry.
func (p part) walk(ctx context.Context, visit func(*tar.Header, io.Reader) (done bool, err error)) error {
	err := func() error {
		_, suffix, _ := strings.Cut(p.name, ".tar")
		packed := bufio.NewReaderSize(&canceledReader{ctx, io.NewSectionReader(p.source, 0, p.source.Size())}, 64<<10)
		plain, closer, err := decompress(packed, suffix)
		if err != nil {
			return err
		}
		defer closer()
		return walkTar(plain, visit)
	}()
	if err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	return nil
}

func walkTar(plain io.Reader, visit func(*tar.Header, io.Reader) (done bool, err error)) error {
	archive := tar.NewReader(plain)
	after := "the start"
	for {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			if _, err := io.Copy(io.Discard, plain); err != nil {
				return fmt.Errorf("damaged at its end: %w", err)
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("damaged after %s: %w", after, err)
		}
		if err := checkEntry(h); err != nil {
			return fmt.Errorf("%q: %w", h.Name, err)
		}
		if done, err := visit(h, archive); done || err != nil {
			return err
		}
		after = fmt.Sprintf("%q", h.Name)
	}
}

// checkEntry refuses what dpkg cannot unpack, and what would lie outside of
// the root or break a list of one name a line.
func checkEntry(h *tar.Header) error {
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeLink, tar.TypeSymlink, tar.TypeDir, tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
	default:
		return fmt.Errorf("entries of type %q are not known", h.Typeflag)
	}
	if len(h.PAXRecords) > 0 {
		return errors.New("has a pax header, which dpkg does not read")
	}
	names := []string{h.Name}
	if h.Typeflag == tar.TypeLink {
		names = append(names, h.Linkname)
	}
	for _, name := range names {
		for part := range strings.SplitSeq(name, "/") {
			if part == ".." {
				return errors.New("leads out of the root")
			}
		}
		if strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return errors.New("control character")
		}
	}
	return nil
}

// absolute is the path of an entry on a host: "./x", "/x" and "x" are one.
func absolute(name string) string { return path.Join("/", name) }

// decompress opens an archive by the suffix of its name. The checksums that a
// compression has are checked at the end of each of its parts; lzma has none.
func decompress(r io.Reader, suffix string) (plain io.Reader, closer func(), err error) {
	closer = func() {}
	switch suffix {
	case "":
		return r, closer, nil
	case ".gz":
		plain, err = gzip.NewReader(r)
	case ".xz":
		plain, err = xz.NewReader(r, maxDictionary)
	case ".bz2":
		plain = bzip2.NewReader(r)
	case ".lzma":
		plain, err = lzma.ReaderConfig{DictCap: maxDictionary}.NewReader(r)
	case ".zst":
		var d *zstd.Decoder
		d, err = zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err == nil {
			plain, closer = d, d.Close
		}
	default:
		err = fmt.Errorf("compression %q is not known", suffix)
	}
	return plain, closer, err
}

// canceledReader stops a long read when its context ends.
type canceledReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *canceledReader) Read(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(b)
}
