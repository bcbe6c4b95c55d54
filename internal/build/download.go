package build

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	neturl "net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/kinectl/kinectl/internal/atomicfile"
)

// patience is how long a download may bring nothing.
const patience = 30 * time.Second

// download opens the file of the given SHA-256, from the cache or else from the
// URL. The cache holds files by their sum, so one that is there and right is
// the one that is meant, wherever it came from.
func (o Options) download(ctx context.Context, url, sum string) (*os.File, error) {
	dir := o.Cache
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return nil, fmt.Errorf("find a folder for downloads: %w", err)
		}
		dir = filepath.Join(user, "kinectl")
	}
	dir = filepath.Join(dir, "archives")
	path := filepath.Join(dir, sum)
	if f, err := o.local(ctx, path, sum); err == nil || ctx.Err() != nil {
		return f, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	err := atomicfile.WriteFrom(path, 0o644, func(w io.Writer) error { return o.fetch(ctx, url, sum, w, maxSize) })
	if err != nil {
		return nil, err
	}
	return o.local(ctx, path, sum)
}

// fetch writes what the URL has to w. The error is a [sumError] when that is
// not what the SHA-256 says; no more than limit bytes are read.
func (o Options) fetch(ctx context.Context, url, sum string, w io.Writer, limit int64) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stalled := cmp.Or(o.patience, patience)
	clock := time.AfterFunc(stalled, func() { cancel(fmt.Errorf("nothing came for %s; try again", stalled)) })
	defer clock.Stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	// A body that the transport unpacks would have another sum.
	req.Header.Set("Accept-Encoding", "identity")
	req.Header.Set("User-Agent", "kinectl")
	resp, err := o.client().Do(req)
	if err != nil {
		if wrapped := (*neturl.Error)(nil); errors.As(err, &wrapped) {
			err = wrapped.Err // without the URL, which may hold a token
		}
		return cause(ctx, err)
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("the server answers %s: see if upstream has this version and architecture", resp.Status)
	case resp.ContentLength > limit:
		return fmt.Errorf("it has %d bytes, more than %d", resp.ContentLength, limit)
	}
	h := sha256.New()
	count := &counter{r: resp.Body, read: func(done int64) {
		clock.Reset(stalled)
		o.tell(Event{"download " + shown(url), done, max(resp.ContentLength, 0)})
	}}
	n, err := io.Copy(io.MultiWriter(w, h), io.LimitReader(count, limit+1))
	if err := cause(ctx, err); err != nil {
		return fmt.Errorf("after %d bytes: %w", n, err)
	}
	if n > limit {
		return fmt.Errorf("it has more than %d bytes", limit)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != sum {
		return sumError{sum, got}
	}
	return nil
}

// cause prefers the reason that a context was ended for: what comes after that,
// an early end among it, is no news.
func cause(ctx context.Context, err error) error {
	return cmp.Or(context.Cause(ctx), err)
}

// client is the caller's, or one that waits for nothing forever. Neither
// follows a redirection away from https.
func (o Options) client() *http.Client {
	c := http.Client{Transport: &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 15 * time.Second}).DialContext,
		TLSHandshakeTimeout:   15 * time.Second,
		ResponseHeaderTimeout: patience,
		ForceAttemptHTTP2:     true,
	}}
	if o.Client != nil {
		c = *o.Client
	}
	c.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if req.URL.Scheme != "https" {
			return fmt.Errorf("the server sends to %s, which is not https", req.URL.Redacted())
		}
		if len(via) >= 10 {
			return errors.New("the server redirects without an end")
		}
		return nil
	}
	return &c
}

// counter tells how much of r was read.
type counter struct {
	r    io.Reader
	n    int64
	read func(int64)
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	c.read(c.n)
	return n, err
}
