package index

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// A member of a gzip index tells where the next one starts and what is in it,
// in an extra field (RFC 1952 2.3.1.1) of the subfield "ki", little-endian:
//
//	4 bytes  length of the member
//	4 bytes  number of records; none in the head and foot of a text
//	rest     key of the first record
//
// It has no other optional field, so these are at fixed places.
const (
	subfield     = "ki"
	memberAt     = 16 // header 10, length of all extra fields 2, name and length of the subfield 4
	countAt      = 20
	keyAt        = 24
	memberFooter = 8 // CRC-32 and plain length

	// gzipLevel is the highest one that takes no longer for text that repeats
	// itself; the ones above win 3 % and may take a minute for a megabyte.
	gzipLevel = 6
)

// newPacker returns a function that gives a block in one form, and makes it
// when the block has not got it. The function is for one goroutine.
func newPacker(l Layout, form Forms) func(*block) ([]byte, error) {
	var gzipWriter *gzip.Writer
	var zstdWriter *zstd.Encoder
	var inflaters sync.Pool
	return func(b *block) ([]byte, error) {
		if form == Plain {
			return b.load(l, &inflaters)
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		var err error
		switch {
		case form == Gzip && b.gzip == nil:
			if gzipWriter == nil {
				if gzipWriter, err = gzip.NewWriterLevel(nil, gzipLevel); err != nil {
					return nil, err
				}
			}
			b.gzip, err = gzipBlock(gzipWriter, b)
		case form == Zstd && b.zstd == nil:
			plain := b.plain
			if plain == nil {
				if plain, err = gunzipBlock(b.gzip, b.size, &inflaters); err != nil {
					return nil, err
				}
			}
			if zstdWriter == nil {
				if zstdWriter, err = newZstdWriter(); err != nil {
					return nil, err
				}
			}
			b.zstd = zstdWriter.EncodeAll(plain, nil)
		}
		if form == Gzip {
			return b.gzip, err
		}
		return b.zstd, err
	}
}

func gzipBlock(w *gzip.Writer, b *block) ([]byte, error) {
	var out bytes.Buffer
	out.Grow(b.size/4 + len(b.first) + 64)
	w.Reset(&out)
	extra := append([]byte(subfield), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	binary.LittleEndian.PutUint16(extra[2:], uint16(8+len(b.first)))
	binary.LittleEndian.PutUint32(extra[8:], uint32(b.count))
	w.Extra = append(extra, b.first...)
	if _, err := w.Write(b.plain); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	binary.LittleEndian.PutUint32(out.Bytes()[memberAt:], uint32(out.Len()))
	return out.Bytes(), nil
}

// gunzipBlock inflates one member to the size that it must have. Inflaters are
// kept in pool, which may be nil.
func gunzipBlock(member []byte, size int, pool *sync.Pool) ([]byte, error) {
	damaged := func(err error) ([]byte, error) {
		return nil, fmt.Errorf("%w: a block: %w", ErrDamaged, err)
	}
	var r *gzip.Reader
	var err error
	if pool != nil {
		r, _ = pool.Get().(*gzip.Reader)
	}
	if r == nil {
		r, err = gzip.NewReader(bytes.NewReader(member))
	} else {
		err = r.Reset(bytes.NewReader(member))
	}
	if err != nil {
		return damaged(err)
	}
	if pool != nil {
		defer pool.Put(r)
	}
	r.Multistream(false)
	plain := make([]byte, size)
	if _, err := io.ReadFull(r, plain); err != nil {
		return damaged(err)
	}
	if n, err := r.Read(make([]byte, 1)); n != 0 || err != io.EOF { // which checks the CRC
		return damaged(fmt.Errorf("longer than %d bytes, or %w", size, err))
	}
	return plain, nil
}

func newZstdWriter() (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithZeroFrames(true),
		zstd.WithEncoderLevel(zstd.SpeedDefault))
}
