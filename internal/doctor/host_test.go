package doctor

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestFetch: a host asks the repository as apt does, which follows a redirect.
func TestFetch(t *testing.T) {
	for _, program := range []string{"curl", "awk"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(program + " is not installed: no repository was asked")
		}
	}
	files := http.NewServeMux()
	files.HandleFunc("/apt/dists/stable/InRelease", func(http.ResponseWriter, *http.Request) {})
	files.Handle("/old/", http.RedirectHandler("/apt/dists/stable/InRelease", http.StatusMovedPermanently))
	server := httptest.NewServer(files)
	defer server.Close()

	// The two lines, with another file of sources and an apt without a proxy.
	const sources = "/etc/apt/sources.list.d/kinectl.sources"
	_, script, _ := strings.Cut(facts, "\nroot=")
	script, _, found := strings.Cut(script, "\necho free")
	if !found || !strings.Contains(script, sources) {
		t.Fatalf("not the lines that were meant: %s", script)
	}
	dir := t.TempDir()
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	t.Setenv("no_proxy", "*")
	if err := os.WriteFile(filepath.Join(dir, "apt-config"), []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	script = "root=" + strings.ReplaceAll(script, sources, filepath.Join(dir, "sources"))
	f := func(path, want string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "sources"), []byte("URIs: "+server.URL+path+"\nSuites: stable\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("sh", "-c", script).CombinedOutput()
		if err != nil || strings.TrimSpace(string(out)) != want {
			t.Errorf("%s: got %s, %v, want %s", path, out, err, want)
		}
	}
	f("/apt", "fetch 200")
	f("/old", "fetch 200")
	f("/nowhere", "fetch 404")
}
