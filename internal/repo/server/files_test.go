package server

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// ask sends a request whose path is not cleaned before.
func ask(t *testing.T, method, address, path string, header ...string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, "http://"+address, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.URL.Opaque = path
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return response, string(body)
}

func TestFiles(t *testing.T) {
	dir := testTree(t)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"notes.asc", ".lock", ".expired", "dists/stable/.InRelease.123", "pool/.hidden/x.deb", "cache/x.deb"} {
		put(t, dir, name, "secret")
	}
	inside := filepath.Join(dir, "pool")
	for link, target := range map[string]string{"link": secret, "up": "../..", "loop": "loop", "good": "main/h/hello"} {
		if err := os.Symlink(target, filepath.Join(inside, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(inside, "pipe.deb"), 0o644); err != nil {
		t.Fatal(err)
	}
	address := start(t, dir, Options{}).address

	f := func(method, path, header, want string) {
		t.Helper()
		name, value, _ := strings.Cut(header, ": ")
		response, body := ask(t, method, address, path, name, value)
		if !strings.HasPrefix(response.Status, want) {
			t.Errorf("%s %s: %s, want %s", method, path, response.Status, want)
		}
		if strings.Contains(body, "secret") {
			t.Errorf("%s %s gave away a file", method, path)
		}
		if response.StatusCode >= 400 && response.Header.Get("Cache-Control") != "" {
			t.Errorf("%s %s may be kept: %v", method, path, response.Header)
		}
	}
	f("GET", "/key.asc", "X: y", "200")
	f("GET", "/dists/stable/InRelease", "X: y", "200")
	f("HEAD", "/"+debName, "X: y", "200")
	f("GET", "/pool/main/h/hello/hello_1.0%2bb1_amd64.deb", "X: y", "200") // as apt writes it
	f("GET", "/pool/good/hello_1.0+b1_amd64.deb", "X: y", "200")           // a link that stays inside
	f("GET", "/"+rpmName, "X: y", "200")
	f("GET", "/"+debName, "Range: bytes=99999999-", "416")
	f("GET", "/"+debName, "Range: bytes=0-1,3-4", "200") // one range only
	f("POST", "/key.asc", "X: y", "405")
	f("PUT", "/dists/stable/InRelease", "X: y", "405")
	f("OPTIONS", "/key.asc", "X: y", "405")
	for _, path := range []string{
		"/", "/index.html", "/dists", "/dists/", "/dists/stable", "/dists/stable/", "/pool/main", "/yum/stable/x86_64/repodata",
		"/.lock", "/.expired", "/notes.asc", "/cache/x.deb", "/dists/stable/.InRelease.123", "/pool/.hidden/x.deb",
		"/pool/link", "/pool/up/notes.asc", "/pool/up/key.asc", "/pool/loop", "/pool/pipe.deb",
		"/pool/../notes.asc", "/pool/%2e%2e/notes.asc", "/pool/..%2fnotes.asc", "//key.asc", "/key.asc/", "/key.asc%00", "/key.asc/x", "/pool\\main",
		"/pool/" + strings.Repeat("a", 300), "/health", "/metrics",
	} {
		f("GET", path, "X: y", "404")
	}
}

// TestAnswers holds the headers against what each kind of file needs.
func TestAnswers(t *testing.T) {
	dir := testTree(t)
	address := start(t, dir, Options{}).address
	f := func(name, contentType, cache, tag string) {
		t.Helper()
		response, body := ask(t, "GET", address, "/"+name)
		want, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || body != string(want) {
			t.Errorf("%s: %q, want %q, %v", name, body, want, err)
		}
		h := response.Header
		if h.Get("Content-Type") != contentType || !strings.HasPrefix(h.Get("Cache-Control"), cache) || h.Get("Content-Encoding") != "" {
			t.Errorf("%s: %v", name, h)
		}
		got := h.Get("ETag")
		if strings.HasPrefix(got, "W/") || len(got) < 10 || tag != "" && got != `"`+tag+`"` {
			t.Errorf("%s: ETag %s, want %s", name, got, tag)
		}
		again, rest := ask(t, "GET", address, "/"+name, "If-None-Match", got)
		if again.StatusCode != http.StatusNotModified || rest != "" {
			t.Errorf("%s, known already: %s", name, again.Status)
		}
		part, rest := ask(t, "GET", address, "/"+name, "Range", "bytes=2-4", "If-Range", got)
		if part.StatusCode != http.StatusPartialContent || rest != body[2:5] {
			t.Errorf("%s, a part: %s %q", name, part.Status, rest)
		}
		whole, rest := ask(t, "GET", address, "/"+name, "Range", "bytes=2-4", "If-Range", `"other"`)
		if whole.StatusCode != http.StatusOK || rest != body {
			t.Errorf("%s, a part of another content: %s %q", name, whole.Status, rest)
		}
	}
	const text, octets, signature, deb = "text/plain; charset=utf-8", "application/octet-stream", "application/pgp-signature", "application/vnd.debian.binary-package"
	f("key.asc", signature, "no-cache", "")
	f("dists/stable/InRelease", text, "no-cache", "")
	f("dists/stable/main/Contents-all.gz", octets, "no-cache", "")
	f(byHash("a list"), octets, "public, max-age=31536000, immutable", sum("a list"))
	f(debName, deb, "public, max-age=31536000, immutable", "")
	f(rpmName, "application/x-rpm", "public, max-age=31536000, immutable", "")
	f(repodata+"repomd.xml", "text/xml; charset=utf-8", "no-cache", sum("first"))
	f(repodata+"repomd.xml.asc", signature, "no-cache", "")
	f(repodata+sum("first")+"-repomd.xml", "text/xml; charset=utf-8", "public", sum("first"))
	f(repodata+sum("first")+"-repomd.xml.asc", signature, "no-cache", "") // not the digest of the signature
	f(repodata+sum("primary")+"-primary.xml.gz", octets, "public", sum("primary"))
}

// TestReplaced wants another tag for another content of the same size and time.
func TestReplaced(t *testing.T) {
	dir := testTree(t)
	address := start(t, dir, Options{}).address
	const name = "dists/stable/InRelease"
	file := filepath.Join(dir, name)
	stamp := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	tag := func(body string) string {
		t.Helper()
		aside := filepath.Join(dir, "aside")
		if err := errors.Join(os.WriteFile(aside, []byte(body), 0o644), os.Chtimes(aside, stamp, stamp), os.Rename(aside, file)); err != nil {
			t.Fatal(err)
		}
		response, got := ask(t, "GET", address, "/"+name)
		if got != body || response.Header.Get("Last-Modified") != stamp.Format(http.TimeFormat) {
			t.Errorf("got %q, %v", got, response.Header)
		}
		return response.Header.Get("ETag")
	}
	// The old file is kept, so that its number is not given to the new one.
	one := tag("one")
	if err := os.Link(file, filepath.Join(dir, "old")); err != nil {
		t.Fatal(err)
	}
	if two := tag("two"); one == two {
		t.Errorf("two contents, one tag %s", one)
	}
	since := func(at time.Time, want int) {
		t.Helper()
		if response, _ := ask(t, "GET", address, "/"+name, "If-Modified-Since", at.Format(http.TimeFormat)); response.StatusCode != want {
			t.Errorf("since %s: %s, want %d", at, response.Status, want)
		}
	}
	since(stamp, 304)
	since(stamp.Add(-time.Second), 200)
}

func TestUnreadable(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may read everything: files without permission were left out")
	}
	dir := testTree(t)
	if err := os.Chmod(filepath.Join(dir, debName), 0); err != nil {
		t.Fatal(err)
	}
	address := start(t, dir, Options{}).address
	if response, _ := ask(t, "GET", address, "/"+debName); response.StatusCode != http.StatusForbidden {
		t.Errorf("a file that may not be read: %s", response.Status)
	}
}

// TestBody sends the header of a request and never its body: a server that
// waits for it would keep the connection.
func TestBody(t *testing.T) {
	address := start(t, testTree(t), Options{}).address
	for _, method := range []string{"GET", "POST"} {
		c := dial(t, address)
		if _, err := io.WriteString(c, method+" /key.asc HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(c) // to the end of the connection
		if err != nil || !bytes.HasPrefix(answer, []byte("HTTP/1.1 413 ")) || !bytes.Contains(answer, []byte("Connection: close")) {
			t.Errorf("%s: %q, %v", method, answer, err)
		}
	}
}

func TestNotRepository(t *testing.T) {
	f := func(dir string) {
		t.Helper()
		if _, err := Handler(dir); !errors.Is(err, ErrNotRepository) {
			t.Errorf("%s: %v", dir, err)
		}
	}
	f(t.TempDir())
	f("/does/not/exist")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	f(file)
}

// FuzzClassify wants that nothing hidden, nothing above and nothing else
// than the four known places is ever opened.
func FuzzClassify(f *testing.F) {
	for _, path := range []string{"/key.asc", "/pool/../x", "/dists/.x", "//", "/yum/a/b/repodata/repomd.xml", "/pool/a\x00b", "pool/x"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		name, k := classify(path)
		if k == kindOther {
			return
		}
		known := name == "key.asc" || strings.HasPrefix(name, "dists/") || strings.HasPrefix(name, "pool/") || strings.HasPrefix(name, "yum/")
		if !known || strings.Contains(name, "..") && strings.Contains("/"+name+"/", "/../") || strings.Contains("/"+name, "/.") || !filepath.IsLocal(name) {
			t.Errorf("%q is %q, %s", path, name, k)
		}
	})
}
