// Package site serves a folder of files that is embedded in the program: a
// website, a player, an admin panel. Start at [New].
//
// It reads what `kinectl assets` writes, and any other folder: a file is sent
// in the smallest form that the client takes (NAME.br, NAME.zst and NAME.gz beside
// NAME), and may be kept for ever where its name holds a hash of its content.
//
// It needs the standard library only, and is a plain [net/http.Handler].
package site

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

// Option is a wish of the caller of [New].
type Option func(*site)

// SPA is for a single-page application, whose paths are made in the browser: a
// path that is no file is answered with index.html and status 200, but only to
// clients that ask for text/html by name, as a browser does for a page. A script
// or an image that is missing stays a 404.
func SPA() Option { return func(s *site) { s.spa = true } }

// Immutable says that files below a folder, like "assets", never change under
// their names, since a bundler has put a hash into these. The names that kinectl
// assets has made are known without it.
func Immutable(folder string) Option {
	return func(s *site) { s.immutable = append(s.immutable, strings.Trim(folder, "/")+"/") }
}

// Header adds a header to every answer, like Content-Security-Policy. A
// Cache-Control takes the place of what New would say of files.
func Header(key, value string) Option {
	return func(s *site) { s.headers[http.CanonicalHeaderKey(key)] = []string{value} }
}

// site is what a request finds ready: no file is opened, hashed or sniffed
// while somebody waits.
type site struct {
	entries   map[string]*entry // by the path of the URL
	notFound  *entry            // 404.html, if there is one
	index     *entry            // of the root
	headers   http.Header
	immutable []string
	spa       bool

	// Values of headers, made once: nobody writes into them.
	vary, varyPage, noStore []string
}

// New returns a handler for GET and HEAD of the files of pages, which are taken
// as they are at this moment and must not change: each has a strong ETag by its
// content. It fails when a file cannot be read, or when there is none, as when the
// program was built before its pages.
//
// A folder is answered with its index.html, what is not there with 404.html.
// Files and folders whose names begin with a dot are not served, but for
// .well-known (RFC 8615). Ranges, If-None-Match and If-Range hold for the form
// that is sent. The handler may be used at the same time by many; mount it below
// a path with [net/http.StripPrefix].
func New(pages fs.FS, options ...Option) (http.Handler, error) {
	s := &site{
		entries: map[string]*entry{}, headers: http.Header{"X-Content-Type-Options": {"nosniff"}},
		vary: []string{"Accept-Encoding"}, varyPage: []string{"Accept, Accept-Encoding"}, noStore: []string{"no-store"},
	}
	for _, option := range options {
		option(s)
	}
	files, err := load(pages)
	if err != nil {
		return nil, fmt.Errorf("read the site: %w", err)
	}
	hashed, err := manifest(pages, files)
	if err != nil {
		return nil, fmt.Errorf("read the site: %w", err)
	}
	if len(files) == 0 {
		return nil, errors.New("read the site: there are no files in it: they are made before the program is built, as by go generate")
	}
	kept := map[string]bool{} // names that may be kept for ever
	for _, name := range hashed {
		kept[name] = true
	}
	for name, f := range files {
		s.add(name, newEntry(name, f, files, kept[name] || s.forever(name)))
	}
	// The name before hashing goes on working, for links from elsewhere and for
	// scripts that put names together.
	for plain, name := range hashed {
		if files[plain] == nil {
			s.add(plain, newEntry(name, files[name], files, false))
		}
	}
	s.index, s.notFound = s.entries["/"], s.entries["/404.html"]
	if s.spa && s.index == nil {
		return nil, errors.New("read the site: a single-page application needs an index.html")
	}
	return s, nil
}

// forever tells whether a name is below one of the folders that never change.
func (s *site) forever(name string) bool {
	for _, folder := range s.immutable {
		if strings.HasPrefix(name, folder) {
			return true
		}
	}
	return false
}

// add puts a file under its path, and the index of a folder under the folder's.
func (s *site) add(name string, e *entry) {
	folder, base := path.Split(name)
	if base != "index.html" {
		s.entries["/"+name] = e
		return
	}
	s.entries["/"+folder] = e
	s.entries["/"+name] = &entry{redirect: "./"}
	if folder != "" {
		s.entries["/"+strings.TrimSuffix(folder, "/")] = &entry{redirect: path.Base(folder) + "/"}
	}
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	for key, value := range s.headers {
		h[key] = value
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "this site is only to be read", http.StatusMethodNotAllowed)
		return
	}
	e := s.entries[r.URL.Path]
	switch {
	case e != nil && e.redirect != "":
		s.redirect(w, r, e.redirect)
	case e != nil:
		s.send(w, r, e, s.vary)
	case s.spa && wantsPage(r):
		s.send(w, r, s.index, s.varyPage)
	default:
		s.missing(w, r)
	}
}

// redirect sends the client to a place relative to its own, so that it holds
// below a prefix too.
func (s *site) redirect(w http.ResponseWriter, r *http.Request, to string) {
	if r.URL.RawQuery != "" {
		to += "?" + r.URL.RawQuery
	}
	// Not http.Redirect, which makes the path absolute and loses the prefix.
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusMovedPermanently)
}
