package site

import (
	"io"
	"net/http"
	"strings"
	"time"
)

// send answers with one of the forms of a file.
func (s *site) send(w http.ResponseWriter, r *http.Request, e *entry, vary []string) {
	f := e.choose(r.Header["Accept-Encoding"])
	if f == nil {
		s.refuse(w, vary)
		return
	}
	h := w.Header()
	s.describe(h, e, f, vary)
	s.put(h, "Cache-Control", e.cache)
	h["Etag"] = f.tag
	// ServeContent leaves the length out when there is a Content-Encoding. It takes
	// it back where it answers with something else, but for a failed If-Match.
	if len(r.Header["If-Match"]) == 0 {
		h["Content-Length"] = f.length
	}
	http.ServeContent(w, r, "", time.Time{}, io.NewSectionReader(f.content, 0, f.size))
}

// missing answers with 404.html to who takes a page. A 404 must not be kept: the
// file may come with the release that is under way.
func (s *site) missing(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h["Cache-Control"] = s.noStore
	if e := s.notFound; e != nil && wantsPage(r) {
		if f := e.choose(r.Header["Accept-Encoding"]); f != nil {
			s.describe(h, e, f, s.varyPage)
			h["Content-Length"] = f.length
			w.WriteHeader(http.StatusNotFound)
			if r.Method == http.MethodGet {
				_, _ = io.Copy(w, io.NewSectionReader(f.content, 0, f.size)) // who is gone is gone
			}
			return
		}
	}
	if s.spa || s.notFound != nil {
		h["Vary"] = s.varyPage
	}
	http.Error(w, "404 page not found", http.StatusNotFound)
}

// refuse answers who takes no form that there is (RFC 9110, section 15.5.7).
func (s *site) refuse(w http.ResponseWriter, vary []string) {
	w.Header()["Vary"] = vary
	http.Error(w, "there is no form of this file that you accept", http.StatusNotAcceptable)
}

// describe sets what belongs to the form that is sent.
func (s *site) describe(h http.Header, e *entry, f *form, vary []string) {
	h["Content-Type"] = e.kind
	h["Vary"] = vary
	if f.coding != nil {
		h["Content-Encoding"] = f.coding
	}
}

// put sets a header where the caller of New has not said another.
func (s *site) put(h http.Header, key string, value []string) {
	if s.headers[key] == nil {
		h[key] = value
	}
}

// wantsPage tells whether the client asks for HTML by name. Browsers do so when
// somebody goes to a page; for scripts, styles, images and fetch they say */* at most.
func wantsPage(r *http.Request) bool {
	for item := range items(r.Header["Accept"]) {
		kind, parameters, _ := strings.Cut(item, ";")
		kind = strings.TrimSpace(kind)
		if strings.EqualFold(kind, "text/html") || strings.EqualFold(kind, "application/xhtml+xml") {
			if weight(parameters) > 0 {
				return true
			}
		}
	}
	return false
}
