package server

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"
)

// ErrNotRepository: the directory is not there, or holds no key.asc.
var ErrNotRepository = errors.New("not a repository")

// Files answers for the files of a repository; [Handler] makes it.
type Files struct {
	dir   string
	root  *os.Root
	given *given
}

// Handler serves the public files of the repository in dir to GET and HEAD:
// key.asc and what is below dists, pool and yum, with one range, If-Range, ETag
// and Last-Modified (RFC 9110). It lists no directories, follows no link out of
// dir, and knows no other file: no dotfile, so no file that is being written.
// A client that reads repomd.xml and then its signature gets two that belong
// together, also when something is published in between (see pair.go).
//
// A directory without key.asc is ErrNotRepository. The caller closes the Files
// when no request is running any more.
func Handler(dir string) (*Files, error) {
	root, err := os.OpenRoot(dir)
	if err == nil {
		if _, err = root.Stat(keyName); err != nil {
			root.Close()
		}
	}
	info, missing := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) || missing == nil && !info.IsDir() {
		err = fmt.Errorf("%w: %w", ErrNotRepository, err)
	}
	if err != nil {
		return nil, fmt.Errorf("serve %s: %w", dir, err)
	}
	return &Files{dir: dir, root: root, given: newGiven(time.Minute, 10_000)}, nil
}

// Close releases the directory.
func (f *Files) Close() error { return f.root.Close() }

func (f *Files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength != 0 {
		refuseBody(w)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
		return
	}
	name, k := classify(r.URL.Path)
	if k == kindOther {
		notFound(w)
		return
	}
	// Many ranges in one answer go through this process in small pieces, and no
	// client of ours asks for them. A server may ignore the field (14.2).
	if strings.Contains(r.Header.Get("Range"), ",") {
		r.Header.Del("Range")
	}
	w.Header().Set("Content-Type", contentType(name))
	w.Header().Set("Cache-Control", cacheControl(name, k))
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if repodata, ok := pairOf(name); ok {
		f.servePair(w, r, repodata, name)
		return
	}
	file, info, err := f.open(name)
	if err != nil {
		fileError(w, err)
		return
	}
	defer file.Close()
	tag := digest(name)
	if tag == "" {
		tag = fmt.Sprintf("%x-%x-%x", info.ModTime().UnixNano(), info.Size(), inode(info))
	}
	w.Header().Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, "", info.ModTime(), file)
}

// check tells whether the repository can be read.
func (f *Files) check() error {
	file, _, err := f.open(keyName)
	if err != nil {
		return err
	}
	return file.Close()
}

// refuseBody ends the connection: what the client may still send would be
// waited for.
func refuseBody(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now())
	w.Header().Set("Connection", "close")
	http.Error(w, "a request has no body here", http.StatusRequestEntityTooLarge)
}

// open opens a regular file. A named pipe is not waited for.
func (f *Files) open(name string) (*os.File, fs.FileInfo, error) {
	file, err := f.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	}
	if err != nil {
		file.Close()
		return nil, nil, err
	}
	return file, info, nil
}

// read returns a small file whole, with the digest of what was read.
func (f *Files) read(name string) (body []byte, sum string, info fs.FileInfo, err error) {
	file, info, err := f.open(name)
	if err != nil {
		return nil, "", nil, err
	}
	defer file.Close()
	const most = 1 << 20
	body, err = io.ReadAll(io.LimitReader(file, most+1))
	if err == nil && len(body) > most {
		err = fmt.Errorf("%s is larger than %d bytes", name, most)
	}
	return body, fmt.Sprintf("%x", sha256.Sum256(body)), info, err
}

func inode(info fs.FileInfo) uint64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return stat.Ino
	}
	return 0
}

func serveBytes(w http.ResponseWriter, r *http.Request, modified time.Time, sum string, body []byte) {
	w.Header().Set("ETag", `"`+sum+`"`)
	http.ServeContent(w, r, "", modified, bytes.NewReader(body))
}

// fileError tells what is not there from what this server cannot read.
func fileError(w http.ResponseWriter, err error) {
	for _, name := range []string{"Cache-Control", "ETag", "Last-Modified"} {
		w.Header().Del(name)
	}
	switch {
	case errors.Is(err, fs.ErrPermission):
		http.Error(w, "the server may not read this file", http.StatusForbidden)
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE), errors.Is(err, syscall.EIO), errors.Is(err, syscall.ENOMEM), errors.Is(err, syscall.ESTALE):
		http.Error(w, "the server cannot read this file now", http.StatusServiceUnavailable)
	default: // also a link that leads out of the directory
		notFound(w)
	}
}

func notFound(w http.ResponseWriter) { http.Error(w, "not found", http.StatusNotFound) }
