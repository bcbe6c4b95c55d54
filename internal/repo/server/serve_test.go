package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestLog(t *testing.T) {
	log := newLines()
	address, end := start(t, testTree(t), Options{Log: log})
	ask(t, "GET", address, "/"+debName, "Range", "bytes=2-4", "User-Agent", "Debian APT-HTTP/1.3")
	ask(t, "HEAD", address, "/key.asc", "User-Agent", "")
	ask(t, "GET", address, "/a%0ab%22"+strings.Repeat("x", 400), "User-Agent", "a\" level=error")
	if err := end(); err != nil {
		t.Fatal(err)
	}
	varies := regexp.MustCompile(`time=\S+Z|seconds=\d+\.\d{6}|x{299,}`)
	got := varies.ReplaceAllStringFunc(log.String(), func(s string) string { return s[:5] })
	want := `level=info msg=request time= client=127.0.0.1 request="GET /` + debName + `" status=206 bytes=3 secon range="bytes=2-4" agent="Debian APT-HTTP/1.3"
level=info msg=request time= client=127.0.0.1 request="HEAD /key.asc" status=200 bytes=0 secon
level=info msg=request time= client=127.0.0.1 request="GET /a\nb\"` + strings.Repeat("x", 291) + `…" status=404 bytes=10 secon agent="a\" level=error"
`
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// TestEnd ends a server while a download is running: it says that it is not
// ready, takes nobody new, and the download is whole.
func TestEnd(t *testing.T) {
	dir := testTree(t)
	bigFile(t, dir)
	var drained atomic.Bool
	metrics := listen(t)
	operation := metrics.Addr().String()
	address, end := start(t, dir, Options{Metrics: metrics, Drained: drained.Load, Limits: Limits{Grace: time.Minute}})
	ready := func(want int, body string) {
		t.Helper()
		if response, got := ask(t, "GET", operation, "/ready"); response.StatusCode != want || got != body+"\n" {
			t.Errorf("/ready: %s %q, want %d %q", response.Status, got, want, body)
		}
	}
	ready(200, "ready")
	drained.Store(true)
	ready(503, "drained")
	drained.Store(false)
	key := filepath.Join(dir, "key.asc")
	if err := os.Rename(key, key+".away"); err != nil {
		t.Fatal(err)
	}
	ready(503, "the repository cannot be read")
	if err := os.Rename(key+".away", key); err != nil {
		t.Fatal(err)
	}
	ready(200, "ready")
	if response, body := ask(t, "GET", operation, "/health"); response.StatusCode != 200 || body != "ok\n" {
		t.Errorf("/health: %s %q", response.Status, body)
	}

	download := stuck(t, address)
	first := make([]byte, 100)
	if _, err := io.ReadFull(download, first); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- end() }()
	for { // until nobody listens
		c, err := net.Dial("tcp", address)
		if err != nil {
			break
		}
		c.Close()
	}
	ready(503, "stopping")
	select {
	case err := <-ended:
		t.Fatalf("Serve ended while a download was running: %v", err)
	default:
	}
	if n, err := io.Copy(io.Discard, download); err != nil || n < 64<<20 {
		t.Errorf("the download got %d bytes, %v", n, err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := net.Dial("tcp", operation); err == nil {
		t.Error("the metrics are still there")
	}
}

// TestCutOff gives a download no time at the end.
func TestCutOff(t *testing.T) {
	dir := testTree(t)
	bigFile(t, dir)
	address, end := start(t, dir, Options{Limits: Limits{Grace: time.Millisecond}})
	download := stuck(t, address)
	if _, err := io.ReadFull(download, make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	if err := end(); !errors.Is(err, ErrCutOff) || !strings.HasPrefix(err.Error(), "serve: 1 client") {
		t.Errorf("got %v", err)
	}
	if n, err := io.Copy(io.Discard, download); n > 60<<20 {
		t.Errorf("the download got %d bytes, %v", n, err)
	}
}

// TestMetrics asks as often as the counters then say, and lets promtool judge
// the text.
func TestMetrics(t *testing.T) {
	dir := testTree(t)
	put(t, dir, "dists/testing/InRelease", "not a root")
	put(t, dir, "dists/.hidden/InRelease", inRelease)
	stamp := time.Date(2026, 11, 22, 11, 0, 0, 0, time.UTC)
	if err := os.Chtimes(filepath.Join(dir, repodata+"repomd.xml"), stamp, stamp); err != nil {
		t.Fatal(err)
	}
	log, listener := newLines(), listen(t)
	address, _ := start(t, dir, Options{Log: log, Metrics: listener, Program: Program{Name: "repository", Version: "1.2.3", Revision: "a\"b\\c\n", BuildTime: "now"}})
	for _, name := range []string{debName, debName, rpmName, "key.asc", "dists/stable/InRelease", repodata + "repomd.xml", byHash("a list"), "pool/none.deb", "favicon.ico"} {
		ask(t, "GET", address, "/"+name)
		<-log.got // counted before it is logged
	}
	response, text := ask(t, "GET", listener.Addr().String(), "/metrics")
	if response.StatusCode != 200 || response.Header.Get("Content-Type") != "text/plain; version=0.0.4; charset=utf-8" {
		t.Errorf("%s, %v", response.Status, response.Header)
	}
	want := []string{
		`build_info{name="repository",version="1.2.3",revision="a\"b\\c\n",build_time="now",go_version="` + runtime.Version() + `"} 1`,
		`http_requests_total{code="2xx",kind="package"} 3`,
		`http_requests_total{code="4xx",kind="package"} 1`,
		`http_requests_total{code="5xx",kind="package"} 0`,
		`http_requests_total{code="2xx",kind="root"} 2`,
		`http_requests_total{code="2xx",kind="index"} 1`,
		`http_requests_total{code="2xx",kind="key"} 1`,
		`http_requests_total{code="4xx",kind="other"} 1`,
		`http_response_bytes_total{kind="package"} ` + fmt.Sprint(2*len("a deb of 24 bytes, really")+len("an rpm")+len("not found\n")),
		`http_request_duration_seconds_bucket{kind="package",le="+Inf"} 4`,
		`http_request_duration_seconds_count{kind="package"} 4`,
		`http_slow_clients_total{kind="package"} 0`,
		`repository_signed_timestamp_seconds{format="deb",suite="stable"} 1.7953416e+09`,
		`repository_valid_until_timestamp_seconds{format="deb",suite="stable"} 1.7959464e+09`,
		`repository_signed_timestamp_seconds{format="rpm",suite="stable"} 1.7953452e+09`,
	}
	for _, line := range want {
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("no %s in\n%s", line, text)
		}
	}
	for _, name := range []string{"process_open_fds ", "process_max_fds ", "process_start_time_seconds ", "http_connections_open "} {
		if !strings.Contains(text, "\n"+name) && runtime.GOOS == "linux" {
			t.Errorf("no %s", name)
		}
	}
	if strings.Contains(text, `suite="testing"`) || strings.Contains(text, "hidden") {
		t.Error("what is no root has metrics")
	}
	require(t, "promtool")
	check := exec.Command("promtool", "check", "metrics")
	check.Stdin = strings.NewReader(text)
	if out, err := check.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool: %v\n%s", err, out)
	}
	check = exec.Command("promtool", "check", "metrics")
	check.Stdin = strings.NewReader(strings.Replace(text, "# HELP http_requests_total", "# HELP other", 1))
	if err := check.Run(); err == nil {
		t.Error("promtool takes everything: the test proves nothing")
	}
}

// TestSystemd runs this test's program as systemd would: with a socket, and a
// place to tell how far it is.
func TestSystemd(t *testing.T) {
	if os.Getenv("SERVER_TEST_CHILD") != "" {
		child(t)
		return
	}
	if runtime.GOOS != "linux" {
		t.Skip("systemd is Linux's: its test was left out")
	}
	l := listen(t)
	socket, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close() // what answers from now on has the copy
	name := filepath.Join(t.TempDir(), "notify")
	told, err := net.ListenPacket("unixgram", name)
	if err != nil {
		t.Fatal(err)
	}
	defer told.Close()
	if err := told.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", `LISTEN_PID=$$ exec "$0" -test.run '^TestSystemd$'`, os.Args[0])
	cmd.Env = append(os.Environ(), "SERVER_TEST_CHILD="+address, "SERVER_TEST_DIR="+testTree(t), "LISTEN_FDS=1", "NOTIFY_SOCKET="+name)
	cmd.ExtraFiles = []*os.File{socket}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	socket.Close()
	says := func(want string) {
		t.Helper()
		b := make([]byte, 100)
		if n, _, err := told.ReadFrom(b); err != nil || string(b[:n]) != want {
			t.Errorf("told systemd %q, %v, want %s\n%s", b[:n], err, want, &out)
		}
	}
	says("READY=1")
	if response, body := ask(t, "GET", address, "/key.asc"); response.StatusCode != 200 || body != "the key" {
		t.Errorf("%s %q", response.Status, body)
	}
	stdin.Close()
	says("STOPPING=1")
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v: %s", err, &out)
	}
}

// child serves until its standard input ends.
func child(t *testing.T) {
	files, err := Handler(os.Getenv("SERVER_TEST_DIR"))
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	l, err := Listen(t.Context(), os.Getenv("SERVER_TEST_CHILD"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	if err := Serve(ctx, l, files, Options{}); err != nil {
		t.Error(err)
	}
}
