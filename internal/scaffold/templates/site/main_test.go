package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

// TestPages serves the folder public as it is, without go generate.
func TestPages(t *testing.T) {
	h, err := pages(os.DirFS("public"))
	if err != nil {
		t.Fatal(err)
	}
	f := func(path string, status int, contains string) {
		t.Helper()
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Accept", "text/html, */*")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != status || !strings.Contains(w.Body.String(), contains) {
			t.Errorf("%s: %d %s, want %d and %q", path, w.Code, w.Body, status, contains)
		}
	}
	f("/", http.StatusOK, "<h1>my-service</h1>")
	f("/style.css", http.StatusOK, "font:")
	f("/nothing", http.StatusNotFound, "no such page")
}
