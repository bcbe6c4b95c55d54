package main

import (
	"io/fs"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/service/site"
)

// TestPages serves the folder public as it is. What the program serves is made of
// it by go generate.
func TestPages(t *testing.T) {
	h, err := site.New(os.DirFS("public"))
	if err != nil {
		t.Fatal(err)
	}
	f := func(path string, code int, holds string) {
		t.Helper()
		r := httptest.NewRequest("GET", path, nil)
		r.Header.Set("Accept", "text/html")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != code || !strings.Contains(w.Body.String(), holds) {
			t.Errorf("%s: %d %.40q", path, w.Code, w.Body)
		}
	}
	f("/", 200, "<title>A site in one program</title>")
	f("/style.css", 200, "font")
	f("/nothing", 404, "no such page")
}

// TestEmbedded holds what is in this build: the prepared pages, or, in a clean checkout,
// nothing and an error that says what to run.
func TestEmbedded(t *testing.T) {
	pages, err := fs.Sub(dist, "dist")
	if err != nil {
		t.Fatal(err)
	}
	_, missing := fs.Stat(pages, "index.html")
	_, err = site.New(pages)
	if missing == nil && err != nil {
		t.Errorf("the pages that are there: %v", err)
	}
	if missing != nil && (err == nil || !strings.Contains(err.Error(), "go generate")) {
		t.Errorf("without pages: %v", err)
	}
}
