package main

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestSite(t *testing.T) {
	pages, err := fs.Sub(public, "public")
	if err != nil {
		t.Fatal(err)
	}
	content, err := site(pages)
	if err != nil {
		t.Fatal(err)
	}
	m := &metrics{}
	h := m.count(content)
	ask := func(method, path, tag string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, nil)
		if tag != "" {
			r.Header.Set("If-None-Match", tag)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	f := func(method, path string, code int, holds, kind string) {
		t.Helper()
		w := ask(method, path, "")
		if w.Code != code || !strings.Contains(w.Body.String(), holds) || !strings.HasPrefix(w.Header().Get("Content-Type"), kind) {
			t.Errorf("%s %s: %d %s %.40q", method, path, w.Code, w.Header().Get("Content-Type"), w.Body)
		}
	}
	f("GET", "/", 200, "<title>", "text/html")
	f("GET", "/style.css", 200, "font", "text/css")
	f("HEAD", "/", 200, "", "text/html")
	f("GET", "/nothing", 404, "404", "text/plain")
	f("GET", "/../main.go", 404, "", "")
	f("POST", "/", 405, "only to be read", "text/plain")
	if w := ask("GET", "/style.css", ask("GET", "/style.css", "").Header().Get("ETag")); w.Code != http.StatusNotModified {
		t.Errorf("a page that the browser has: %d", w.Code)
	}
	w := httptest.NewRecorder()
	m.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, want := range []string{`build_info{name="site",version="0.0.0",`, `http_requests_total{code="2xx"} 4`, `http_requests_total{code="3xx"} 1`, `http_requests_total{code="4xx"} 3`} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("no %s in\n%s", want, w.Body)
		}
	}
}
