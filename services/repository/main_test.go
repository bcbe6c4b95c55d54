package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kinectl/kinectl/internal/cli"
	"github.com/kinectl/kinectl/internal/repo/server"
	"github.com/kinectl/kinectl/service"
)

// kinectl runs a command of the command line.
func kinectl(t *testing.T, argv ...string) string {
	t.Helper()
	var out, faults bytes.Buffer
	if code := cli.Run(t.Context(), "test", argv, strings.NewReader(""), &out, &faults); code != 0 {
		t.Fatalf("kinectl %v: exit code %d\n%s%s", argv, code, &out, &faults)
	}
	return out.String() + faults.String()
}

func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestSpec(t *testing.T) {
	if out := kinectl(t, "lint", "spec.yml"); !strings.Contains(out, "nothing found") {
		t.Errorf("lint: %s", out)
	}
}

// TestPackaged takes the program out of its package and runs it as its unit
// does.
func TestPackaged(t *testing.T) {
	if _, err := exec.LookPath("dpkg-deb"); err != nil {
		if os.Getenv("KINECTL_E2E") == "required" {
			t.Fatal(err)
		}
		t.Skip("dpkg-deb is not installed: the packaged service was not run")
	}
	dist, installed := t.TempDir(), t.TempDir()
	kinectl(t, "package", "-f", "spec.yml", "--version", "1.2.3", "--format", "deb", "--arch", runtime.GOARCH, "-o", dist)
	if out, err := exec.Command("dpkg-deb", "-x", filepath.Join(dist, "repository_1.2.3_"+runtime.GOARCH+".deb"), installed).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "key.asc"), []byte("the key"), 0o644); err != nil {
		t.Fatal(err)
	}
	public, operation := free(t), free(t)
	cmd := exec.Command(filepath.Join(installed, "usr/bin/repository"))
	var log bytes.Buffer
	cmd.Stderr = &log
	cmd.Env = append(os.Environ(), "REPOSITORY="+dir, "HTTP_ADDRESS="+public, "METRICS_ADDRESS="+operation, "RUNTIME_DIRECTORY="+dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { _ = cmd.Process.Kill() })

	get := func(url string, status int, want string) {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			response, err := http.Get("http://" + url)
			if err != nil && time.Now().Before(deadline) {
				continue // it does not listen yet
			}
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			if err != nil || response.StatusCode != status || !strings.Contains(string(body), want) {
				t.Errorf("%s: %s %.300q, %v, want %d %q", url, response.Status, body, err, status, want)
			}
			return
		}
	}
	get(public+"/key.asc", 200, "the key")
	get(public+"/metrics", 404, "")
	get(operation+"/metrics", 200, `name="repository",`)
	get(operation+"/metrics", 200, `version="1.2.3"} 1`)
	get(operation+"/health", 200, "ok")
	get(operation+"/ready", 200, "ready")
	if err := os.WriteFile(filepath.Join(dir, "drain"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	get(operation+"/ready", 503, "drained")
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
	for _, want := range []string{"level=INFO msg=ready version=1.2.3\n", "request=\"GET /key.asc\" status=200", "request=\"GET /metrics\" status=404", "level=INFO msg=stopping\n"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %s in\n%s", want, &log)
		}
	}
}

// TestNoRepository says what is missing, and ends.
func TestNoRepository(t *testing.T) {
	environ := []string{"REPOSITORY=" + filepath.Join(t.TempDir(), "none"), "HTTP_ADDRESS=127.0.0.1:0", "METRICS_ADDRESS=off"}
	if err := service.Serve(t.Context(), service.Process{Environ: environ}, setup); !errors.Is(err, server.ErrNotRepository) {
		t.Errorf("got %v", err)
	}
}

func TestSwitch(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		var o onOff
		if err := o.UnmarshalText([]byte(text)); fmt.Sprint(o, err) != want {
			t.Errorf("%q: %v, %v, want %s", text, o, err, want)
		}
	}
	f("on", "true <nil>")
	f("off", "false <nil>")
	f("false", "false must be on or off")
	f("", "false must be on or off")
}
