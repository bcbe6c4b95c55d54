package site

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

// pages is a site as kinectl assets leaves it. What is in the compressed files is
// not looked at by the handler, so a word that says which it is will do.
func pages() fstest.MapFS {
	text := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	return fstest.MapFS{
		Manifest:                      text(`{"hashed": {"app.js": "app.0123456789ab.js"}}`),
		"index.html":                  text("<!doctype html><title>Home</title>" + strings.Repeat(" ", 90)),
		"index.html.gz":               text("gzip of index, longest"),
		"index.html.zst":              text("zstd of index, mid"),
		"index.html.br":               text("br of index"),
		"app.0123456789ab.js":         text("let x = 1 // a script"),
		"app.0123456789ab.js.gz":      text("gz of app"),
		"docs/index.html":             text("<h1>Docs</h1>"),
		"docs/page.html":              text("<h1>Page</h1>"),
		"docs/page.html.gz":           text("longer than the page itself, so useless"),
		"404.html":                    text("<h1>Nothing here</h1>"),
		"404.html.br":                 text("br of 404"),
		".env":                        text("SECRET=1"),
		".git/config":                 text("x"),
		".well-known/security.txt":    text("Contact: mailto:a@example.com"),
		"assets/main-Bq3.js":          text("main"),
		"empty.txt":                   text(""),
		"download/data.tar.gz":        text("\x1f\x8b"),
		"unknown.bin":                 text("\x00\x01"),
		"kinectl.webmanifest":         text("{}"),
		"assets/deep/.hidden/file.js": text("x"),
	}
}

// ask sends one request; headers are "Key: value".
func ask(h http.Handler, method, path string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	for _, header := range headers {
		key, value, _ := strings.Cut(header, ": ")
		r.Header.Add(key, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func handler(t *testing.T, tree fs.FS, options ...Option) http.Handler {
	t.Helper()
	h, err := New(tree, options...)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestPaths(t *testing.T) {
	h := handler(t, pages(), Immutable("/assets/"))
	f := func(method, path string, code int, kind, cache, body string) {
		t.Helper()
		w := ask(h, method, path)
		got := w.Result().Header
		if w.Code != code || got.Get("Content-Type") != kind || got.Get("Cache-Control") != cache || !strings.Contains(w.Body.String(), body) {
			t.Errorf("%s %s: %d %q %q %.40q", method, path, w.Code, got.Get("Content-Type"), got.Get("Cache-Control"), w.Body)
		}
		if got.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s %s: may be sniffed", method, path)
		}
	}
	const html, js, text = "text/html; charset=utf-8", "text/javascript; charset=utf-8", "text/plain; charset=utf-8"
	const kept, asked = "public, max-age=31536000, immutable", "no-cache"
	f("GET", "/", 200, html, asked, "Home")
	f("HEAD", "/", 200, html, asked, "")
	f("GET", "/docs/", 200, html, asked, "Docs")
	f("GET", "/docs/page.html", 200, html, asked, "Page")
	f("GET", "/app.0123456789ab.js", 200, js, kept, "a script")
	f("GET", "/app.js", 200, js, asked, "a script") // its name before: always asked for again
	f("GET", "/assets/main-Bq3.js", 200, js, kept, "main")
	f("GET", "/.well-known/security.txt", 200, text, asked, "Contact")
	f("GET", "/empty.txt", 200, text, asked, "")
	f("GET", "/download/data.tar.gz", 200, "application/gzip", asked, "\x1f\x8b")
	f("GET", "/unknown.bin", 200, "application/octet-stream", asked, "")
	f("GET", "/kinectl.webmanifest", 200, "application/manifest+json", asked, "{}")
	f("GET", "/nothing", 404, text, "no-store", "404")
	f("GET", "/app.ffffffffffff.js", 404, text, "no-store", "404") // of another release: not this content under that name
	for _, path := range []string{"/.env", "/.git/config", "/" + Manifest, "/docs/../index.html", "//index.html", "/index.html/", "/assets/", "/assets/deep/.hidden/file.js", "/%2e%2e/etc/passwd"} {
		f("GET", path, 404, text, "no-store", "404")
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS"} {
		f(method, "/", 405, text, "", "only to be read")
	}
	if w := ask(h, "POST", "/"); w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("Allow: %q", w.Header().Get("Allow"))
	}
}

func TestRedirects(t *testing.T) {
	h := http.StripPrefix("/shop", handler(t, pages()))
	f := func(path, want string) {
		t.Helper()
		if w := ask(h, "GET", path); w.Code != 301 || w.Header().Get("Location") != want {
			t.Errorf("%s: %d to %q", path, w.Code, w.Header().Get("Location"))
		}
	}
	f("/shop/index.html", "./")
	f("/shop/docs", "docs/")
	f("/shop/docs?a=b", "docs/?a=b")
	f("/shop/docs/index.html?a=b", "./?a=b")
}

func TestNotFound(t *testing.T) {
	f := func(h http.Handler, accept string, code int, body, cache, vary string) {
		t.Helper()
		w := ask(h, "GET", "/user/7", "Accept: "+accept)
		if w.Code != code || !strings.Contains(w.Body.String(), body) || w.Header().Get("Cache-Control") != cache || w.Header().Get("Vary") != vary {
			t.Errorf("%s: %d %q %q %q", accept, w.Code, w.Body, w.Header().Get("Cache-Control"), w.Header().Get("Vary"))
		}
	}
	const page, script, both = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "*/*", "Accept, Accept-Encoding"
	plain, app := handler(t, pages()), handler(t, pages(), SPA())
	f(plain, page, 404, "Nothing here", "no-store", both)
	f(plain, script, 404, "404 page not found", "no-store", both)
	f(app, page, 200, "Home", "no-cache", both)
	f(app, "TEXT/HTML;level=1", 200, "Home", "no-cache", both)
	f(app, script, 404, "404 page not found", "no-store", both) // a missing script must not become a page
	f(app, "text/html;q=0, */*", 404, "404 page not found", "no-store", both)
	f(app, "image/avif,image/webp,*/*;q=0.8", 404, "404 page not found", "no-store", both)
	if w := ask(plain, "GET", "/x", "Accept: text/html", "Accept-Encoding: br"); w.Code != 404 || w.Body.String() != "br of 404" || w.Header().Get("Content-Encoding") != "br" || w.Header().Get("Etag") != "" {
		t.Errorf("404.html compressed: %d %q %v", w.Code, w.Body, w.Header())
	}
	if w := ask(plain, "HEAD", "/x", "Accept: text/html"); w.Body.Len() != 0 || w.Header().Get("Content-Length") != "21" {
		t.Errorf("HEAD of what is not there: %v %q", w.Header(), w.Body)
	}
}

func TestHeader(t *testing.T) {
	h := handler(t, pages(), Header("content-security-policy", "default-src 'self'"), Header("Cache-Control", "max-age=60"))
	for _, path := range []string{"/", "/app.0123456789ab.js", "/nothing"} {
		if got := ask(h, "GET", path).Header().Get("Content-Security-Policy"); got != "default-src 'self'" {
			t.Errorf("%s: %q", path, got)
		}
	}
	if got := ask(h, "GET", "/").Header().Get("Cache-Control"); got != "max-age=60" {
		t.Errorf("Cache-Control: %q", got)
	}
}

func TestNewFails(t *testing.T) {
	f := func(tree fs.FS, want string, options ...Option) {
		t.Helper()
		if _, err := New(tree, options...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	f(fstest.MapFS{}, "no files in it")
	f(fstest.MapFS{".gitkeep": {}}, "go generate") // a clean checkout, before the pages are made
	f(os.DirFS("/nonexistent"), "read the site")
	f(fstest.MapFS{"a.txt": {}}, "needs an index.html", SPA())
	f(fstest.MapFS{"a.txt": {}, Manifest: {Data: []byte("{")}}, Manifest)
	f(fstest.MapFS{"a.txt": {}, Manifest: {Data: []byte(`{"hashed":{"b.js":"b.1.js"}}`)}}, "names b.1.js, which is not there")
}

// TestDisk serves a folder that changes: what is sent stays as its tag says.
func TestDisk(t *testing.T) {
	dir := t.TempDir()
	file := dir + "/a.txt"
	if err := os.WriteFile(file, []byte("before"), 0o644); err != nil {
		t.Fatal(err)
	}
	h := handler(t, os.DirFS(dir))
	if err := os.WriteFile(file, []byte("after, and longer"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := ask(h, "GET", "/a.txt").Body.String(); got != "before" {
		t.Errorf("got %q", got)
	}
}
