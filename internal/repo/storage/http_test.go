package storage

import (
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestWeb(t *testing.T) {
	dir := t.TempDir()
	put(t, Dir(dir, nil), text("pool/a/hello_1.0~rc+1 x.deb", "body"))
	var asked string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.RequestURI + " " + r.Header.Get("Cache-Control") + " " + r.Header.Get("Accept-Encoding")
		switch r.URL.Path {
		case "/apt/broken":
			w.WriteHeader(http.StatusBadGateway)
		case "/apt/short":
			w.Header().Set("Content-Length", "10")
			_, _ = w.Write([]byte("short"))
		default:
			http.StripPrefix("/apt/", http.FileServer(http.Dir(dir))).ServeHTTP(w, r)
		}
	}))
	defer server.Close()
	location := strings.Replace(server.URL, "http://", "http://me:secret@", 1) + "/apt/"
	r, err := OpenReader(location, Options{})
	if err != nil {
		t.Fatal(err)
	}
	has(t, r, "pool/a/hello_1.0~rc+1 x.deb", "body")
	if want := "/apt/pool/a/hello_1.0~rc%2B1%20x.deb no-cache identity"; asked != want {
		t.Errorf("asked for %q, want %q", asked, want)
	}
	if _, err := r.Get(t.Context(), "pool/a/hello_1.0~rc+1 x.deb", 3); !errors.Is(err, ErrTooLong) {
		t.Error(err)
	}
	hasNot(t, r, "not/there")
	for name, want := range map[string]string{"broken": "502", "short": "unexpected EOF", "../x": "not the name"} {
		_, err := r.Get(t.Context(), name, 100)
		if err == nil || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
