package build

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// origin serves body over TLS at any path but those that name a fault.
func origin(t *testing.T, body []byte) (url string, client *http.Client, hits *atomic.Int64) {
	t.Helper()
	hits = &atomic.Int64{}
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits.Add(1)
		switch {
		case strings.HasPrefix(r.URL.Path, "/missing"):
			http.NotFound(w, r)
		case strings.HasPrefix(r.URL.Path, "/plain"):
			http.Redirect(w, r, "http://127.0.0.1:1/films.tar.gz", http.StatusFound)
		case strings.HasPrefix(r.URL.Path, "/moved"):
			http.Redirect(w, r, "/films.tar.gz", http.StatusFound)
		case strings.HasPrefix(r.URL.Path, "/round"):
			http.Redirect(w, r, r.URL.Path, http.StatusFound)
		case strings.HasPrefix(r.URL.Path, "/cut"):
			w.Header().Set("Content-Length", "1000000")
			_, _ = w.Write(body[:10])
		case strings.HasPrefix(r.URL.Path, "/hang"):
			_, _ = w.Write(body[:10])
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		default:
			_, _ = w.Write(body)
		}
	}))
	t.Cleanup(s.Close)
	s.Config.ErrorLog = nil
	return s.URL, s.Client(), hits
}

// stored are the names in the cache.
func stored(t *testing.T, cache string) []string {
	t.Helper()
	var names []string
	entries, _ := os.ReadDir(filepath.Join(cache, "archives"))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestDownload(t *testing.T) {
	body := archived(t, ".tar.gz", upstream(amd64))
	url, client, hits := origin(t, body)
	t.Setenv("TMPDIR", t.TempDir())
	get := func(path, cache string) error {
		t.Helper()
		p := films(url+path, "films-{version}/films", body)
		var last Event
		program, cleanup, err := Program(t.Context(), p, Options{Dir: t.TempDir(), Arch: "amd64", Cache: cache, Client: client, Progress: func(e Event) {
			if e.Done > 0 {
				last = e
			}
		}})
		if err == nil {
			if _, err := os.Stat(program); err != nil {
				t.Error(err)
			}
			if last.Done != 0 && (last.Done != int64(len(body)) || !strings.HasPrefix(last.What, "download https://")) {
				t.Errorf("progress ends with %+v", last)
			}
			cleanup()
		}
		if left, _ := os.ReadDir(os.TempDir()); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
		return err
	}
	f := func(path, wrong string) {
		t.Helper()
		cache := t.TempDir()
		err := get(path, cache)
		if err == nil || !strings.Contains(err.Error(), wrong) || !strings.HasPrefix(err.Error(), "take the program of films from "+url) {
			t.Errorf("%s: %v, want %s", path, err, wrong)
		}
		if names := stored(t, cache); len(names) > 0 {
			t.Errorf("%s: the cache has %v", path, names)
		}
	}
	f("/missing/films.tar.gz", "404 Not Found")
	f("/plain/films.tar.gz", "which is not https")
	f("/round/films.tar.gz", "redirects without an end")
	f("/cut/films.tar.gz", "unexpected EOF")

	cache := t.TempDir()
	for _, path := range []string{"/v{version}/films-{version}.linux-{arch}.tar.gz", "/moved/films.tar.gz"} {
		if err := get(path, cache); err != nil {
			t.Error(err)
		}
	}
	before := hits.Load()
	if err := get("/missing/films.tar.gz", cache); err != nil || hits.Load() != before {
		t.Errorf("what is in the cache was asked for again: %v", err)
	}
	// A file of the cache that was changed is of no use, and is replaced.
	path := filepath.Join(cache, "archives", sum(body))
	if err := os.WriteFile(path, []byte("changed"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := get("/films.tar.gz", cache); err != nil || hits.Load() != before+1 {
		t.Errorf("a changed file of the cache: %v", err)
	}
	if now, _ := os.ReadFile(path); !bytes.Equal(now, body) {
		t.Error("the changed file is still there")
	}
}

func TestDownloadSum(t *testing.T) {
	body := archived(t, ".tar.gz", upstream(amd64))
	url, client, _ := origin(t, []byte("something else"))
	cache := t.TempDir()
	p := films(url+"/films.tar.gz?token=hunter2", "films", body)
	_, _, err := Program(t.Context(), p, Options{Arch: "amd64", Cache: cache, Client: client})
	if err == nil || !strings.Contains(err.Error(), sum(body)) || !strings.Contains(err.Error(), sum([]byte("something else"))) {
		t.Errorf("another file: %v", err)
	}
	if err != nil && strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a token is shown: %v", err)
	}
	if names := stored(t, cache); len(names) > 0 {
		t.Errorf("the cache has %v", names)
	}
}

func TestDownloadLimit(t *testing.T) {
	url, client, _ := origin(t, bytes.Repeat([]byte("a"), 100_000))
	o := Options{Client: client}
	for _, path := range []string{"/with-length", "/cut"} { // the second claims a million
		var got bytes.Buffer
		err := o.fetch(t.Context(), url+path, "", &got, 50_000)
		if err == nil || !strings.Contains(err.Error(), "more than 50000") || got.Len() > 50_001 {
			t.Errorf("%s: %d bytes, %v", path, got.Len(), err)
		}
	}
}

func TestDownloadInterrupted(t *testing.T) {
	body := archived(t, ".tar.gz", upstream(amd64))
	url, client, _ := origin(t, body)
	t.Setenv("TMPDIR", t.TempDir())
	cache := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	_, _, err := Program(ctx, films(url+"/hang", "", body), Options{Arch: "amd64", Cache: cache, Client: client, Progress: func(e Event) {
		if e.Done > 0 {
			cancel() // Ctrl-C in the middle
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	if names := stored(t, cache); len(names) > 0 {
		t.Errorf("the cache has %v", names)
	}
	if left, _ := os.ReadDir(os.TempDir()); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestDownloadStalls(t *testing.T) {
	url, client, _ := origin(t, bytes.Repeat([]byte("a"), 100))
	o := Options{Client: client, patience: 50 * time.Millisecond}
	err := o.fetch(t.Context(), url+"/hang", "", &bytes.Buffer{}, 1000)
	if err == nil || !strings.Contains(err.Error(), "nothing came for 50ms") {
		t.Errorf("a server that says no more: %v", err)
	}
}
