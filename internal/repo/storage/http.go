package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// web reads a repository from a web server.
type web struct {
	base   string // without a slash at its end
	client *http.Client
}

// newClient gives up on a server that does not answer, but not on a long
// download. One that is switched off does not even refuse: the kernel by itself
// goes on knocking for two minutes.
func newClient() *http.Client {
	return &http.Client{Transport: &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		ResponseHeaderTimeout: 30 * time.Second,
		TLSHandshakeTimeout:   10 * time.Second,
		IdleConnTimeout:       30 * time.Second,
	}}
}

func (w *web) String() string { return redact(w.base) }

func (w *web) Get(ctx context.Context, name string, limit int64) ([]byte, error) {
	in, err := w.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	body, err := ReadAllLimit(in, limit)
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", redact(w.address(name)), withoutURL(err))
	}
	return body, nil
}

func (w *web) Open(ctx context.Context, name string) (_ io.ReadCloser, err error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("get %s: %w", redact(w.address(name)), withoutURL(err))
		}
	}()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.address(name), nil)
	if err != nil {
		return nil, err
	}
	// The root must not come out of a cache that has missed a publication.
	request.Header.Set("Cache-Control", "no-cache")
	// What is compressed here is a file of its own, to be read as it is.
	request.Header.Set("Accept-Encoding", "identity")
	response, err := w.client.Do(request)
	if err != nil {
		return nil, err
	}
	switch response.StatusCode {
	case http.StatusOK:
		return response.Body, nil
	case http.StatusNotFound, http.StatusGone:
		err = fmt.Errorf("%w (%s)", fs.ErrNotExist, response.Status)
	default:
		err = fmt.Errorf("the server answered %s", response.Status)
	}
	response.Body.Close()
	return nil, err
}

// address escapes a plus sign too: S3 takes a plain one for a blank.
func (w *web) address(name string) string {
	return w.base + "/" + strings.ReplaceAll((&url.URL{Path: name}).EscapedPath(), "+", "%2B")
}

// withoutURL strips the address that net/http puts into its errors: ours names
// it already, without a password.
func withoutURL(err error) error {
	if u := (*url.Error)(nil); errors.As(err, &u) {
		return u.Err
	}
	return err
}

// redact hides a password in a URL.
func redact(location string) string {
	u, err := url.Parse(location)
	if err != nil {
		return "(an address that cannot be read)"
	}
	return u.Redacted()
}
