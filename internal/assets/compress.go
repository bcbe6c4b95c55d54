package assets

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"runtime"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// format is a way to compress, by the ending of its files.
type format struct {
	ending string
	// encoder makes what compresses one file after the other, each to the same bytes whatever
	// came before: what it has in memory is too much to be made for every file.
	encoder func() (func([]byte) ([]byte, error), error)
	decoder func(io.Reader) (io.Reader, error)
}

func formats() []format {
	return []format{
		{
			".gz",
			func() (func([]byte) ([]byte, error), error) {
				w, err := gzip.NewWriterLevel(nil, gzip.BestCompression)
				return stream(w), err
			},
			func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
		},
		{
			".zst",
			func() (func([]byte) ([]byte, error), error) {
				// A client need not take a larger window (RFC 9659).
				w, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithWindowSize(8<<20), zstd.WithEncoderConcurrency(1))
				return func(body []byte) ([]byte, error) { return w.EncodeAll(body, nil), nil }, err
			},
			func(r io.Reader) (io.Reader, error) {
				return zstd.NewReader(r, zstd.WithDecoderConcurrency(1)) // works in the caller: there is nothing to close
			},
		},
		{
			".br",
			func() (func([]byte) ([]byte, error), error) {
				return stream(brotli.NewWriterLevel(nil, brotli.BestCompression)), nil
			},
			func(r io.Reader) (io.Reader, error) { return brotli.NewReader(r), nil },
		},
	}
}

// stream compresses with a writer that starts anew for each file.
func stream(w interface {
	io.WriteCloser
	Reset(io.Writer)
},
) func([]byte) ([]byte, error) {
	return func(body []byte) ([]byte, error) {
		var b bytes.Buffer
		w.Reset(&b)
		_, err := w.Write(body)
		err = errors.Join(err, w.Close())
		return b.Bytes(), err
	}
}

// holds tells whether a compressed file holds just this.
func (f format) holds(compressed, body []byte) bool {
	r, err := f.decoder(bytes.NewReader(compressed))
	if err != nil {
		return false
	}
	plain, err := io.ReadAll(io.LimitReader(r, int64(len(body))+1))
	return err == nil && bytes.Equal(plain, body)
}

// dense tells whether a kind of file is compressed in itself.
func dense(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".woff", ".woff2",
		".mp4", ".m4s", ".m4a", ".webm", ".mp3", ".ogg", ".opus", ".ts", ".flac",
		".gz", ".zst", ".br", ".xz", ".bz2", ".zip", ".7z", ".tgz", ".jar", ".deb", ".rpm":
		return true
	}
	return false
}

// compress lays the compressed forms beside the files, where they save one byte in
// twenty, on all processors.
func compress(ctx context.Context, files []File) error {
	jobs := make(chan *File)
	var mu sync.Mutex
	var all error
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(files)) {
		workers.Go(func() {
			if err := work(jobs); err != nil {
				mu.Lock()
				defer mu.Unlock()
				all = errors.Join(all, err)
				for range jobs { // the others go on
				}
			}
		})
	}
	for i := range files {
		if !dense(files[i].Path) && ctx.Err() == nil {
			jobs <- &files[i]
		}
	}
	close(jobs)
	workers.Wait()
	return errors.Join(all, ctx.Err())
}

// work compresses files until there are no more.
func work(jobs <-chan *File) error {
	encoders := map[string]func([]byte) ([]byte, error){}
	for _, f := range formats() {
		encode, err := f.encoder()
		if err != nil {
			return err
		}
		encoders[f.ending] = encode
	}
	for file := range jobs {
		for ending, encode := range encoders {
			body, err := encode(file.body)
			if err != nil {
				return fmt.Errorf("%s%s: %w", file.Path, ending, err)
			}
			if len(body)*20 <= len(file.body)*19 {
				file.setForm(ending, body)
			}
		}
	}
	return nil
}
