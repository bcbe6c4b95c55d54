package repo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path"
	"strings"
	"time"
)

// Handler serves the public files of the repository in dir to GET and HEAD:
// the key, the suites and the pool, with ranges, ETag and Last-Modified. It
// lists no directories, follows no link out of dir, and knows no other file,
// so no dotfile, no file being written, nothing that lies beside them. A
// directory without key.asc is ErrNotRepository. The caller closes the handler
// when no request is running any more.
func Handler(dir string) (*FileHandler, error) {
	root, err := os.OpenRoot(dir)
	if err == nil {
		if _, err = root.Stat(keyName); err != nil {
			root.Close()
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w: %w", ErrNotRepository, err)
	}
	if err != nil {
		return nil, fmt.Errorf("serve %s: %w", dir, err)
	}
	return &FileHandler{root}, nil
}

// FileHandler is made by [Handler].
type FileHandler struct {
	root *os.Root
}

// Close releases the directory.
func (h *FileHandler) Close() error { return h.root.Close() }

func (h *FileHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
		return
	}
	name, ok := publicPath(r.URL.Path)
	if !ok {
		http.Error(w, "not found", http.StatusNotFound)
		return
	}
	f, err := h.root.Open(name)
	if err != nil {
		fileError(w, err)
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		http.Error(w, "not found", http.StatusNotFound)
		return
	}
	header := w.Header()
	header.Set("Content-Type", contentType(name))
	header.Set("Cache-Control", cacheControl(name))
	header.Set("ETag", fmt.Sprintf(`"%x-%x"`, info.ModTime().UnixNano(), info.Size()))
	http.ServeContent(w, r, "", info.ModTime(), f)
}

// fileError tells a file that is not served from one that cannot be read.
func fileError(w http.ResponseWriter, err error) {
	if errors.Is(err, fs.ErrPermission) {
		http.Error(w, "the server may not read this file", http.StatusForbidden)
		return
	}
	http.Error(w, "not found", http.StatusNotFound)
}

// publicPath turns a request's path into one of the tree, if it may be asked
// for at all.
func publicPath(urlPath string) (name string, ok bool) {
	name = strings.TrimPrefix(urlPath, "/")
	if !fs.ValidPath(name) || strings.ContainsAny(name, "\\\x00") {
		return "", false
	}
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(part, ".") {
			return "", false
		}
	}
	return name, name == keyName || strings.HasPrefix(name, "dists/") || strings.HasPrefix(name, "pool/")
}

// immutable names never change their content: packages, and indexes under
// their digests.
func immutable(name string) bool {
	return strings.HasPrefix(name, "pool/") || strings.Contains(name, "/by-hash/")
}

func cacheControl(name string) string {
	if immutable(name) {
		return "public, max-age=31536000, immutable"
	}
	return "no-cache" // may be kept, must be asked for again
}

// contentType never says Content-Encoding's types: apt wants .gz as it is.
func contentType(name string) string {
	switch {
	case strings.HasSuffix(name, ".deb"):
		return "application/vnd.debian.binary-package"
	case strings.Contains(name, "/by-hash/"), path.Ext(name) == ".gz":
		return "application/octet-stream"
	case path.Ext(name) == ".asc", path.Ext(name) == ".gpg":
		return "application/pgp-signature"
	}
	return "text/plain; charset=utf-8"
}

// Serve answers requests on listener, which it closes, until ctx ends; then it
// lets running requests finish for at most five seconds. One line a request
// goes to log unless that is nil.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler, log io.Writer) error {
	if log != nil {
		handler = logged(handler, log)
	}
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
	}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		grace, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		err := server.Shutdown(grace)
		if err != nil {
			server.Close()
		}
		stopped <- err
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	if err := <-stopped; err != nil {
		return fmt.Errorf("serve: requests were cut off: %w", err)
	}
	return nil
}
