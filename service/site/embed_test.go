package site

import (
	"embed"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

//go:embed *.go
var sources embed.FS

// TestEmbedded serves what is in the program, to many at once: each gets the
// whole file, from the one that was opened at the start.
func TestEmbedded(t *testing.T) {
	h := handler(t, sources)
	want, err := sources.ReadFile("negotiate.go")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	defer server.Close()
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for range 20 {
				got, err := http.Get(server.URL + "/negotiate.go")
				if err != nil {
					t.Error(err)
					return
				}
				body, err := io.ReadAll(got.Body)
				got.Body.Close()
				if err != nil || string(body) != string(want) {
					t.Errorf("%d bytes of %d: %v", len(body), len(want), err)
				}
			}
		})
	}
	clients.Wait()
}

// silent is an answer that nobody reads.
type silent struct{ header http.Header }

func (s silent) Header() http.Header         { return s.header }
func (s silent) Write(p []byte) (int, error) { return len(p), nil }
func (s silent) WriteHeader(int)             {}

// TestAllocations counts what a request costs: nothing of it grows with the number or the
// size of files.
func TestAllocations(t *testing.T) {
	h := handler(t, pages())
	f := func(most float64, headers ...string) {
		t.Helper()
		r := httptest.NewRequest("HEAD", "/", nil)
		for _, header := range headers {
			key, value, _ := strings.Cut(header, ": ")
			r.Header.Set(key, value)
		}
		w := silent{http.Header{}}
		if n := testing.AllocsPerRun(100, func() { clear(w.header); h.ServeHTTP(w, r) }); n > most {
			t.Errorf("%q: %v allocations", headers, n)
		}
	}
	tag := ask(h, "GET", "/", "Accept-Encoding: br").Header().Get("Etag")
	f(2, "Accept-Encoding: gzip, deflate, br, zstd") // the reader, and Accept-Ranges of net/http
	f(2, "Accept-Encoding: br", "If-None-Match: "+tag)
}

// Beside net/http's own server of files, which has no tags and no compression.
func BenchmarkSite(b *testing.B) {
	f := func(name string, h http.Handler) {
		b.Run(name, func(b *testing.B) {
			r := httptest.NewRequest("GET", "/negotiate.go", nil)
			r.Header.Set("Accept-Encoding", "gzip, deflate, br, zstd")
			w := silent{http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				clear(w.header)
				h.ServeHTTP(w, r)
			}
		})
	}
	ours, err := New(sources)
	if err != nil {
		b.Fatal(err)
	}
	f("site", ours)
	f("net-http", http.FileServerFS(sources))
}

// FuzzAccept chooses a form for any header, and holds the choice to what the header
// says: what has the weight 0 is never sent.
func FuzzAccept(f *testing.F) {
	f.Add("gzip;q=0.5, br;q=1.0, *;q=0")
	f.Add("identity;q=0, *")
	files, err := load(pages())
	if err != nil {
		f.Fatal(err)
	}
	e := newEntry("index.html", files["index.html"], files, false)
	f.Fuzz(func(t *testing.T, accept string) {
		got := e.choose([]string{accept})
		for i := range e.forms {
			other := &e.forms[i]
			switch q := other.weight([]string{accept}); {
			case got == nil && q > 0:
				t.Fatalf("%q: nothing, though %v has %d", accept, other.coding, q)
			case got == other && q == 0:
				t.Fatalf("%q: %v has the weight 0", accept, other.coding)
			case got != nil && q > got.weight([]string{accept}):
				t.Fatalf("%q: %v, though %v weighs more", accept, got.coding, other.coding)
			}
		}
	})
}
