package repo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// tree is where a repository is read from.
type tree interface {
	// get returns the file at a slash-separated path below the repository. A
	// file longer than limit bytes is an error; one that is not there is
	// fs.ErrNotExist.
	get(ctx context.Context, path string, limit int64) ([]byte, error)
}

// getChecked is get for a file whose size and digest are known from a signed
// text. Anything else at its place is ErrDamaged.
func getChecked(ctx context.Context, t tree, path string, size int64, sha256 string) ([]byte, error) {
	body, err := t.get(ctx, path, size)
	switch {
	case errors.Is(err, errTooLong), err == nil && (int64(len(body)) != size || digest(body) != sha256):
		return nil, fmt.Errorf("%s: %w", path, ErrDamaged)
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s is missing: %w", path, ErrDamaged)
	case err != nil:
		return nil, err
	}
	return body, nil
}

// newTree takes a directory or an http(s) URL.
func newTree(location string, client *http.Client) tree {
	if isURL(location) {
		return httpTree{strings.TrimRight(location, "/"), client}
	}
	return dirTree(location)
}

func isURL(location string) bool {
	return strings.HasPrefix(location, "http://") || strings.HasPrefix(location, "https://")
}

type dirTree string

func (d dirTree) get(_ context.Context, path string, limit int64) ([]byte, error) {
	f, err := os.Open(filepath.Join(string(d), filepath.FromSlash(path)))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	body, err := readAllLimit(f, limit)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", f.Name(), err)
	}
	return body, nil
}

type httpTree struct {
	base   string // without a slash at its end
	client *http.Client
}

func (h httpTree) get(ctx context.Context, path string, limit int64) (body []byte, err error) {
	address := h.base + "/" + (&url.URL{Path: path}).EscapedPath()
	defer func() {
		if err != nil {
			err = fmt.Errorf("get %s: %w", redact(address), withoutURL(err))
		}
	}()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	// The root must not come out of a cache that has missed a publication.
	request.Header.Set("Cache-Control", "no-cache")
	response, err := h.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK:
		return readAllLimit(response.Body, limit)
	case http.StatusNotFound, http.StatusGone:
		return nil, fmt.Errorf("%w (%s)", fs.ErrNotExist, response.Status)
	default:
		return nil, fmt.Errorf("the server answered %s", response.Status)
	}
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
	if err != nil || !isURL(location) {
		return location
	}
	return u.Redacted()
}

// newClient gives up on a server that does not answer, but not on a long
// download.
func newClient() *http.Client {
	transport := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		ResponseHeaderTimeout: 30 * time.Second,
		TLSHandshakeTimeout:   10 * time.Second,
		IdleConnTimeout:       30 * time.Second,
	}
	return &http.Client{Transport: transport}
}
