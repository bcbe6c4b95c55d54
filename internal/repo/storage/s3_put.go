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
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
)

// uploads is how many requests of one Put are under way at the same time.
const uploads = 6

// tries is how often a request is made before its error is one.
const tries = 5

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
	digest := hex.EncodeToString(sum.Sum(nil))
	var err error
	for try := range tries {
		if err = s.send(ctx, f, digest, cacheControl); !mayPass(err) || ctx.Err() != nil {
			break
		}
		select {
		case <-time.After(100 * time.Millisecond << try):
		case <-ctx.Done():
		}
	}
	return s.failed("upload", f.Name, err)
}

// send is one try of upload. The client may go on reading after it has returned
// an error, so every try has a reader of its own.
func (s *s3) send(ctx context.Context, f File, digest, cacheControl string) error {
	in, err := f.Open()
	if err != nil {
		return err
	}
	body := &closing{in: in}
	defer body.Close()
	_, err = s.sender.PutObject(ctx, s.bucket, s.key(f.Name), body, f.Size, "", digest, minio.PutObjectOptions{
		ContentType:          contentType(f.Name),
		CacheControl:         cacheControl,
		DisableContentSha256: true, // of every piece: the whole has one
	})
	return err
}

// mayPass says that another try may go better: the network failed, or the
// server asks for patience.
func mayPass(err error) bool {
	status := minio.ToErrorResponse(err).StatusCode
	return err != nil && (status == 0 || status == http.StatusRequestTimeout || status == http.StatusTooManyRequests || status >= 500)
}

// closing can be closed while it is read.
type closing struct {
	mu sync.Mutex
	in io.ReadCloser // nil: closed
}

func (c *closing) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.in == nil {
		return 0, fs.ErrClosed
	}
	return c.in.Read(p)
}

func (c *closing) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.in == nil {
		return nil
	}
	in := c.in
	c.in = nil
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
