package server

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/kinectl/kinectl/internal/needs"
)

func TestLog(t *testing.T) {
	r := start(t, testTree(t), Options{})
	ask(t, "GET", r.address, "/"+debName, "Range", "bytes=2-4", "User-Agent", "Debian APT-HTTP/1.3")
	ask(t, "HEAD", r.address, "/key.asc", "User-Agent", "", "X-Request-Id", "of-a-proxy")
	ask(t, "GET", r.address, "/a%0ab%22"+strings.Repeat("x", 400), "User-Agent", "a\" level=error")
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	varies := regexp.MustCompile(`time=\S+Z|seconds=[-.e\d]+|request_id=[0-9a-f]{16}|x{299,}`)
	all := varies.ReplaceAllStringFunc(r.log.String(), func(s string) string { return s[:5] })
	var got string
	for line := range strings.Lines(all) {
		if strings.Contains(line, "msg=request ") {
			got += line
		}
	}
	want := `time= level=INFO msg=request client=127.0.0.1 request="GET /` + debName + `" status=206 bytes=3 secon range="bytes=2-4" agent="Debian APT-HTTP/1.3" reque
time= level=INFO msg=request client=127.0.0.1 request="HEAD /key.asc" status=200 bytes=0 secon request_id=of-a-proxy
time= level=INFO msg=request client=127.0.0.1 request="GET /a\nb\"` + strings.Repeat("x", 291) + `…" status=404 bytes=10 secon agent="a\" level=error" reque
`
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// TestEnd ends a server while a download is running: it says that it is not
// ready, takes nobody new, and the download is whole.
func TestEnd(t *testing.T) {
	dir, runtimeDir := testTree(t), t.TempDir()
	bigFile(t, dir)
	r := start(t, dir, Options{}, "SHUTDOWN_TIMEOUT=1m", "RUNTIME_DIRECTORY="+runtimeDir)
	address, operation, end := r.address, r.operation, r.end
	ready := func(want int, body string) {
		t.Helper()
		if response, got := ask(t, "GET", operation, "/ready"); response.StatusCode != want || got != body+"\n" {
			t.Errorf("/ready: %s %q, want %d %q", response.Status, got, want, body)
		}
	}
	ready(200, "ready")
	key := filepath.Join(dir, "key.asc")
	if err := os.Rename(key, key+".away"); err != nil {
		t.Fatal(err)
	}
	ready(503, "repository is not ready")
	if err := os.Rename(key+".away", key); err != nil {
		t.Fatal(err)
	}
	ready(200, "ready")

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
	ready(503, "starting or stopping")
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

// TestCutOff gives a download no time at the end, which is worth a warning.
func TestCutOff(t *testing.T) {
	dir := testTree(t)
	bigFile(t, dir)
	r := start(t, dir, Options{}, "SHUTDOWN_TIMEOUT=1ms")
	download := stuck(t, r.address)
	if _, err := io.ReadFull(download, make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	if err := r.end(); err != nil || !strings.Contains(r.log.String(), "level=WARN") {
		t.Errorf("got %v, log\n%s", err, r.log)
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
	r := start(t, dir, Options{})
	for _, name := range []string{debName, debName, rpmName, "key.asc", "dists/stable/InRelease", repodata + "repomd.xml", byHash("a list"), "pool/none.deb", "favicon.ico"} {
		ask(t, "GET", r.address, "/"+name)
		<-r.log.requests // counted before it is logged
	}
	var text string
	for !strings.Contains(text, "\nhttp_requests_in_flight 0\n") { // the service's own are counted last
		_, text = ask(t, "GET", r.operation, "/metrics")
	}
	want := []string{
		`build_info{build_time="now",go_version="` + runtime.Version() + `",name="repository",revision="a\"b\\c\n",version="1.2.3"} 1`,
		`http_requests_total{code="2xx",kind="package"} 3`,
		`http_requests_total{code="4xx",kind="package"} 1`,
		`http_requests_total{code="5xx",kind="package"} 0`,
		`http_requests_total{code="2xx",kind="root"} 2`,
		`http_requests_total{code="2xx",kind="index"} 1`,
		`http_requests_total{code="2xx",kind="key"} 1`,
		`http_requests_total{code="4xx",kind="other"} 1`,
		`http_response_bytes_total{kind="package"} ` + fmt.Sprint(2*len("a deb of 24 bytes, really")+len("an rpm")+len("not found\n")),
		`http_request_duration_seconds_count{code="2xx",method="GET",route="package"} 3`,
		`http_request_duration_seconds_count{code="4xx",method="GET",route="package"} 1`,
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
	needs.Program(t, "promtool", "its test was left out")
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
