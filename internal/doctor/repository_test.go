package doctor

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPlaces asks real servers, one that is gone among them, and folders.
func TestPlaces(t *testing.T) {
	dir := t.TempDir()
	root := filepath.Join(dir, "apt", "dists", "stable")
	if err := os.MkdirAll(root, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "InRelease"), []byte("signed\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	up := httptest.NewServer(http.FileServer(http.Dir(filepath.Join(dir, "apt"))))
	defer up.Close()
	gone := httptest.NewServer(nil)
	gone.Close()
	empty := httptest.NewServer(http.NotFoundHandler())
	defer empty.Close()
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
	defer broken.Close()

	f := func(read bool, repository, url string, want ...string) {
		t.Helper()
		vars := map[string]any{"kinectl_repository": repository, "kinectl_repository_url": url}
		found := Run(t.Context(), places(map[string]map[string]any{"h1": vars, "h2": vars}, dir, "e", read))
		var got []string
		for _, g := range found {
			if (g.Mend == "") != (g.Level == OK) {
				t.Errorf("%+v", g)
			}
			got = append(got, fmt.Sprintf("%s %s: %s → %s", g.Level, g.Check, g.Detail, g.Mend))
		}
		if len(got) != len(want) {
			t.Fatalf("%s, %s: %q, want %q", repository, url, got, want)
		}
		for i, words := range want {
			for word := range strings.SplitSeq(words, "…") {
				if !strings.Contains(got[i], word) {
					t.Errorf("%s, %s: %q, want %q", repository, url, got[i], words)
				}
			}
		}
	}
	f(true, "apt", up.URL, "ok e kinectl_repository_url: "+up.URL)
	f(true, up.URL, up.URL) // which a deploy reads
	f(false, "apt", "", "ok e kinectl_repository: ")
	f(false, "nowhere", up.URL+"/", "warn e kinectl_repository: …nowhere…→ make it with: kinectl repo init", "ok e kinectl_repository_url")
	f(true, "apt", gone.URL, "warn e kinectl_repository_url: …connection refused → is its server up")
	f(true, "apt", empty.URL, "warn e kinectl_repository_url: …404…→ make it with: kinectl repo init")
	f(true, "apt", broken.URL, "warn e kinectl_repository_url: …502…→ is its server up")
	f(true, "apt", "ssh://x", "warn e kinectl_repository_url: …→ correct it in "+filepath.Join(dir, "inventories", "e"))
	f(true, "apt", "file:///srv/apt")
	f(true, "apt", "https://packages.example.com") // said already
	f(true, "apt", "https://{{ server }}/apt")
	f(true, "apt", "http://apt:hunter@"+strings.TrimPrefix(up.URL, "http://"), "ok e kinectl_repository_url: http://apt:xxxxx@")
}
