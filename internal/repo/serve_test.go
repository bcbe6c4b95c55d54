package repo

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// serve offers dir on a free port of the loopback until the test ends.
func serve(t *testing.T, dir string, log io.Writer) (url string) {
	t.Helper()
	files, err := Handler(dir)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, listener, files, log) }()
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		files.Close()
	})
	return "http://" + listener.Addr().String()
}

func TestServe(t *testing.T) {
	dir, o := testRepo(t)
	file := debFile(t, "hello", "1.0+b1", "amd64", "one")
	testPublish(t, dir, o, file)
	secret := filepath.Join(t.TempDir(), "secret")
	for _, name := range []string{secret, filepath.Join(dir, "notes.asc"), filepath.Join(dir, "dists/stable/.InRelease.123")} {
		if err := os.WriteFile(name, []byte("secret"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(secret, filepath.Join(dir, "pool/link")); err != nil {
		t.Fatal(err)
	}
	const deb = "/pool/main/h/hello/hello_1.0+b1_amd64.deb"
	var log bytes.Buffer
	t.Cleanup(func() { // runs after that of serve, when the log is complete
		if !strings.Contains(log.String(), `127.0.0.1 "GET `+deb+`" 200 `) || !strings.Contains(log.String(), `"GET /key.asc\x00" 404`) {
			t.Errorf("access log:\n%s", log.String())
		}
	})
	url := serve(t, dir, &log)

	f := func(method, path, header, want string) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.URL.Opaque = path // as it is, not cleaned by the client
		if name, value, found := strings.Cut(header, ": "); found {
			request.Header.Set(name, value)
		}
		response, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(response.Status, want) {
			t.Errorf("%s %s: %s, want %s", method, path, response.Status, want)
		}
		if response.StatusCode >= 400 && bytes.Contains(body, []byte("secret")) {
			t.Errorf("%s %s gave away a file", method, path)
		}
	}
	f("GET", "/key.asc", "", "200")
	f("GET", "/dists/stable/InRelease", "", "200")
	f("HEAD", deb, "", "200")
	f("GET", "/pool/main/h/hello/hello_1.0%2bb1_amd64.deb", "", "200") // as apt writes it
	f("GET", deb, "Range: bytes=0-9", "206")
	f("GET", deb, "Range: bytes=99999999-", "416")
	f("GET", "/dists/stable/InRelease", "If-Modified-Since: "+clock.Add(time.Hour).Format(http.TimeFormat), "304")
	f("GET", "/dists/stable/InRelease", "If-Modified-Since: "+clock.Format(http.TimeFormat), "200") // published since
	f("POST", "/key.asc", "", "405")
	f("PUT", "/dists/stable/InRelease", "", "405")
	f("GET", "/", "", "404")
	f("GET", "/dists/stable", "", "404")
	f("GET", "/dists/stable/", "", "404")
	f("GET", "/.lock", "", "404")
	f("GET", "/notes.asc", "", "404")
	f("GET", "/dists/stable/.InRelease.123", "", "404")
	f("GET", "/pool/link", "", "404")
	f("GET", "/pool/../notes.asc", "", "404")
	f("GET", "/pool/%2e%2e/notes.asc", "", "404")
	f("GET", "/pool/..%2f..%2f"+filepath.Base(filepath.Dir(secret)), "", "404")
	f("GET", "//key.asc", "", "404")
	f("GET", "/key.asc%00", "", "404")

	response, err := http.Get(url + deb)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	if want, _ := os.ReadFile(file); err != nil || !bytes.Equal(got, want) {
		t.Errorf("the package has other bytes: %v", err)
	}
	if etag := response.Header.Get("ETag"); etag == "" || response.Header.Get("Last-Modified") == "" {
		t.Errorf("headers: %v", response.Header)
	}
}

func TestServeNoRepository(t *testing.T) {
	if _, err := Handler(t.TempDir()); !errors.Is(err, ErrNotRepository) {
		t.Errorf("an empty directory: %v", err)
	}
	if _, err := Handler("/does/not/exist"); !errors.Is(err, ErrNotRepository) {
		t.Errorf("no directory: %v", err)
	}
}
