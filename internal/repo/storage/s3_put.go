package storage

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
)

// uploads is how many requests of one Put are under way at the same time.
const uploads = 6

// Put sends every file in one request (so at most 5 GiB, as S3 has it) under
// the digest of its content, which is read once before: a reader that ends in
// an error sends nothing, and a server that got something else keeps nothing.
func (s *s3) Put(ctx context.Context, files []File) error {
	bodies, links, err := arrange(files)
	if err != nil {
		return err
	}
	ctx, _, done, err := s.writing(ctx)
	if err != nil {
		return err
	}
	defer done()
	if err := each(ctx, uploads, bodies, func(ctx context.Context, f File) error { return s.upload(ctx, f, "") }); err != nil {
		return err
	}
	return each(ctx, uploads, links, func(ctx context.Context, f File) error {
		_, err := s.client.Client.CopyObject(ctx,
			minio.CopyDestOptions{Bucket: s.bucket, Object: s.key(f.Name)},
			minio.CopySrcOptions{Bucket: s.bucket, Object: s.key(f.LinkOf)})
		return s.failed("copy "+f.LinkOf+" to", f.Name, err)
	})
}

func (s *s3) upload(ctx context.Context, f File, cacheControl string) error {
	sum := sha256.New()
	if err := f.copyTo(ctx, sum); err != nil {
		return fmt.Errorf("upload %s: %w", f.Name, err)
	}
	body := &reopened{open: f.Open}
	defer body.Close()
	_, err := s.client.PutObject(ctx, s.bucket, s.key(f.Name), body, f.Size, "", hex.EncodeToString(sum.Sum(nil)), minio.PutObjectOptions{
		ContentType:          contentType(f.Name),
		CacheControl:         cacheControl,
		DisableContentSha256: true, // of every piece: the whole has one
	})
	return s.failed("upload", f.Name, err)
}

// reopened reads a file from its beginning as often as it is asked to: the
// client seeks to there before it tries again.
type reopened struct {
	open func() (io.ReadCloser, error)
	in   io.ReadCloser // nil: to be opened
}

func (r *reopened) Read(p []byte) (n int, err error) {
	if r.in == nil {
		if r.in, err = r.open(); err != nil {
			return 0, err
		}
	}
	return r.in.Read(p)
}

func (r *reopened) Seek(offset int64, whence int) (int64, error) {
	if offset != 0 || whence != io.SeekStart {
		return 0, errors.ErrUnsupported
	}
	return 0, r.Close()
}

func (r *reopened) Close() error {
	if r.in == nil {
		return nil
	}
	in := r.in
	r.in = nil
	return in.Close()
}

// PutRoots waits under the lock until the server's clock shows a later second
// than any of the files has, since a bucket takes no modification time from us.
// Then it makes sure once more that the lock is ours, and sends the files one
// after the other.
func (s *s3) PutRoots(ctx context.Context, files []File) error {
	ctx, lock, done, err := s.writing(ctx)
	if err != nil {
		return err
	}
	defer done()
	var ready []File
	for _, f := range files {
		if err := checkName(f.Name); err != nil {
			return err
		}
		var body bytes.Buffer
		if err := f.copyTo(ctx, &body); err != nil {
			return fmt.Errorf("upload %s: %w", f.Name, err)
		}
		ready = append(ready, Bytes(f.Name, body.Bytes()))
		if err := s.waitSecond(ctx, f.Name); err != nil {
			return err
		}
	}
	if err := lock.check(ctx); err != nil {
		return err
	}
	for _, f := range ready {
		if err := s.upload(ctx, f, "no-cache"); err != nil {
			return err
		}
	}
	return nil
}

// waitSecond returns when the server's clock is past the second in which name
// was written.
func (s *s3) waitSecond(ctx context.Context, name string) error {
	for {
		var now time.Time
		info, err := s.Stat(context.WithValue(ctx, dateKey{}, &now), name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || now.Truncate(time.Second).After(info.Modified.Truncate(time.Second)) {
			return err
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// dated leaves the Date header of an answer where the context says.
type dated struct{ http.RoundTripper }

type dateKey struct{}

func (d dated) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := d.RoundTripper.RoundTrip(r)
	if date, ok := r.Context().Value(dateKey{}).(*time.Time); ok && err == nil {
		if *date, err = http.ParseTime(response.Header.Get("Date")); err != nil {
			*date, err = time.Now(), nil // a server without a clock
		}
	}
	return response, err
}

func (s *s3) Remove(ctx context.Context, names []string) error {
	for _, name := range names {
		if err := checkName(name); err != nil {
			return err
		}
	}
	ctx, _, done, err := s.writing(ctx)
	if err != nil {
		return err
	}
	defer done()
	return each(ctx, uploads, names, func(ctx context.Context, name string) error { return s.drop(ctx, name) })
}

func (s *s3) drop(ctx context.Context, name string) error {
	err := s.client.RemoveObject(ctx, s.bucket, s.key(name), minio.RemoveObjectOptions{})
	if err = s.failed("remove", name, err); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Mend has nothing to do: an upload that did not end leaves nothing behind.
func (s *s3) Mend(context.Context) error { return nil }

// contentType is what a web server in front of the bucket says of a file.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".deb":
		return "application/vnd.debian.binary-package"
	case ".rpm":
		return "application/x-rpm"
	case ".gz":
		return "application/gzip"
	case ".zst":
		return "application/zstd"
	case ".xml":
		return "text/xml"
	case ".asc", ".gpg":
		return "text/plain; charset=utf-8"
	}
	switch base := path.Base(name); {
	case base == "InRelease", base == "Release", strings.HasPrefix(base, "Packages"):
		return "text/plain; charset=utf-8"
	}
	return "application/octet-stream"
}
