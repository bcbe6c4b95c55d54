package cli

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// TestRepoServe takes the address from the first line, fetches, and interrupts.
func TestRepoServe(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "apt")
	out, stdout := io.Pipe()
	var stderr strings.Builder
	a := &app{stdout: io.Discard, stderr: &stderr}
	run := func(ctx context.Context, args ...string) error {
		cmd := a.repoCommand()
		cmd.SetArgs(args)
		return cmd.ExecuteContext(ctx)
	}
	if err := run(t.Context(), "init", dir, "--key-type", "ed25519", "--key", filepath.Join(t.TempDir(), "key.asc")); err != nil {
		t.Fatal(err)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	a.stdout = stdout
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, "serve", dir, "--listen", "127.0.0.1:0", "--log") }()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	_, url, found := strings.Cut(strings.TrimSpace(line), " at ")
	if !found {
		t.Fatalf("first line: %q", line)
	}
	response, err := http.Get(url + "/dists/stable/InRelease")
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	response.Body.Close()
	if err != nil || !strings.Contains(string(body), "Origin: kinectl\n") {
		t.Errorf("InRelease: %s, %v", body, err)
	}
	interrupt()
	if err := <-ended; err != nil {
		t.Errorf("interrupted: %v", err)
	}
	if !strings.Contains(stderr.String(), `request="GET /dists/stable/InRelease" status=200`) {
		t.Errorf("access log: %q", stderr.String())
	}
}

func TestRepoExitCodes(t *testing.T) {
	dir := t.TempDir()
	key := filepath.Join(t.TempDir(), "key.asc")
	f := func(want int, args ...string) {
		t.Helper()
		a := &app{stdout: io.Discard, stderr: io.Discard}
		cmd := a.repoCommand()
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		cmd.SetArgs(args)
		err := cmd.ExecuteContext(t.Context())
		got := exitDone
		if e := (*exitError)(nil); errors.As(err, &e) {
			got = e.code
		} else if err != nil {
			got = exitUsage
		}
		if got != want {
			t.Errorf("%v: exit code %d, want %d (%v)", args, got, want, err)
		}
	}
	f(exitUsage, "init")
	f(exitUsage, "init", dir, "--name", "a\nb", "--key", key)
	f(exitUsage, "init", dir, "--key-type", "dsa", "--key", key)
	f(exitFailed, "list", dir)
	f(exitDone, "init", dir, "--key-type", "ed25519", "--key", key)
	f(exitDone, "list", dir)
	f(exitUsage, "publish", dir)
	f(exitUsage, "publish", dir, "x.deb", "--suite", "../x", "--key", key)
	f(exitFailed, "publish", dir, "x.deb", "--key", key)
	f(exitFailed, "publish", dir, "x.deb", "--key", key+".none")
	f(exitFailed, "serve", dir, "--listen", "nowhere")
}
