package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// start builds the program with the given fault linked in and runs it on free
// ports. get asks one of its addresses, and waits for it to listen.
func start(t *testing.T, fault string, env ...string) (get func(path string) (int, string), cmd *exec.Cmd, log *bytes.Buffer) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "hello")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", program, "-ldflags", "-X main.version=1.2.3 -X main.fault="+fault, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	address, public := free(t), free(t)
	cmd, log = exec.Command(program), &bytes.Buffer{}
	cmd.Env = append(os.Environ(), "METRICS_ADDRESS="+address, "HTTP_ADDRESS="+public)
	cmd.Env = append(cmd.Env, env...)
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	get = func(path string) (int, string) {
		t.Helper()
		host := address
		if path == "/" {
			host = public
		}
		for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
			resp, err := http.Get("http://" + host + path)
			if err != nil {
				time.Sleep(10 * time.Millisecond)
				continue
			}
			body, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			return resp.StatusCode, string(body)
		}
		t.Fatalf("%s never answered: %s", path, log)
		return 0, ""
	}
	return get, cmd, log
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

func TestHello(t *testing.T) {
	get, cmd, log := start(t, "", "SECRET=hunter2")
	if status, body := get("/"); status != 200 || body != "hello from hello 1.2.3\n" {
		t.Errorf("/: %d %q", status, body)
	}
	for _, path := range []string{"/health", "/ready"} {
		if status, _ := get(path); status != 200 {
			t.Errorf("%s: %d", path, status)
		}
	}
	status, body := get("/metrics")
	if status != 200 {
		t.Fatalf("/metrics: %d", status)
	}
	for _, want := range []string{
		`build_info{name="hello",version="1.2.3",revision="unknown",build_time="unknown",go_version="go`,
		"\nhttp_requests_total 1\n", "\ngo_goroutines ", "\nprocess_open_fds ", "\nprocess_start_time_seconds ", "\nprocess_resident_memory_bytes ", "\nprocess_max_fds ",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q in\n%s", want, body)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("stop: %v", err)
	}
	want := "level=info msg=\"hello 1.2.3 started\"\nlevel=info msg=\"hello 1.2.3 stopped\"\n"
	if log.String() != want {
		t.Errorf("log is %q", log)
	}
}

func TestFaults(t *testing.T) {
	get, _, _ := start(t, "probe500")
	if status, _ := get("/metrics"); status != 500 {
		t.Errorf("probe500 by link: %d", status)
	}
	if status, _ := get("/"); status != 200 {
		t.Errorf("probe500 on the service's port: %d", status)
	}
	get, _, _ = start(t, "", "HELLO_FAULT=wrongversion")
	if status, body := get("/metrics"); status != 200 || !strings.Contains(body, `version="0.0.0-wrong"`) {
		t.Errorf("wrongversion: %d %s", status, body)
	}
	_, cmd, _ := start(t, "", "HELLO_FAULT=exit")
	if err := cmd.Wait(); err == nil || fmt.Sprint(err) != "exit status 1" {
		t.Errorf("exit: %v", err)
	}
}
