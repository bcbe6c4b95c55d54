package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRepoServeFlags runs the verb with each of its flags, at the address that
// the first line of the output names, until it is interrupted.
func TestRepoServeFlags(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "key.asc"), []byte("the key"), 0o644); err != nil {
		t.Fatal(err)
	}
	get := func(url, want string) {
		t.Helper()
		response, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusOK || !strings.Contains(string(body), want) {
			t.Errorf("%s: %s %.500q, %v, want %q", url, response.Status, body, err, want)
		}
	}
	serve := func(use func(out *bufio.Reader), argv ...string) (log string) {
		t.Helper()
		ctx, interrupt := context.WithCancel(t.Context())
		defer interrupt()
		out, stdout := io.Pipe()
		var stderr bytes.Buffer
		code := make(chan int, 1)
		go func() {
			code <- Run(ctx, "1.2.3", append([]string{"repo", "serve", dir, "--listen", "127.0.0.1:0"}, argv...), strings.NewReader(""), stdout, &stderr)
			stdout.Close()
		}()
		use(bufio.NewReader(out))
		http.DefaultClient.CloseIdleConnections()
		interrupt()
		if c := <-code; c != 0 {
			t.Errorf("%v: exit code %d\n%s", argv, c, &stderr)
		}
		return stderr.String()
	}

	log := serve(func(out *bufio.Reader) {
		line, err := out.ReadString('\n')
		url, ok := strings.CutPrefix(line, "serving "+dir+" at ")
		if !ok {
			t.Fatalf("the first line is %q, %v", line, err)
		}
		get(strings.TrimSpace(url)+"/key.asc", "the key")
	})
	if log != "" {
		t.Errorf("standard error without --log: %s", log)
	}

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	metrics := l.Addr().String()
	l.Close()
	log = serve(func(out *bufio.Reader) {
		var answer struct{ URL string }
		if err := json.NewDecoder(out).Decode(&answer); err != nil {
			t.Fatal(err)
		}
		get(answer.URL+"/key.asc", "the key")
		get("http://"+metrics+"/metrics", `name="kinectl"`)
		get("http://"+metrics+"/metrics", `version="1.2.3"`)
		get("http://"+metrics+"/ready", "ready")
	}, "--json", "--log", "--metrics", metrics)
	if !strings.Contains(log, `request="GET /key.asc" status=200`) {
		t.Errorf("log: %s", log)
	}

	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	f := func(want string, argv ...string) {
		t.Helper()
		var out bytes.Buffer
		code := Run(t.Context(), "1.2.3", append([]string{"repo", "serve", dir}, argv...), strings.NewReader(""), &out, &out)
		if code != 1 || !strings.Contains(out.String(), want) || strings.Contains(out.String(), "serving") || strings.Count(out.String(), "\n") > 2 {
			t.Errorf("%v: exit code %d\n%s", argv, code, &out)
		}
	}
	f("address already in use\nhint: choose another address", "--listen", taken.Addr().String())
	f("address already in use\nhint: choose another address", "--listen", "127.0.0.1:0", "--metrics", taken.Addr().String())
	f("must be host:port", "--listen", "8080")
	f("METRICS_ADDRESS", "--metrics", "9090")
}
