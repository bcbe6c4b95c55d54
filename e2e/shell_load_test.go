package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// longRate is the load of the long form (KINECTL_LONG=yes), in requests a second.
const longRate = 2000

func long() bool { return os.Getenv("KINECTL_LONG") != "" }

// clients ask a service on a host all the time, see bench/restart-load.
type clients struct {
	process *exec.Cmd
	said    bytes.Buffer
	end     io.Closer
	out     string
}

// answers is what they have got; bench/restart-load says what it means.
type answers struct {
	Seconds      float64
	Sent, Failed int
	Kinds        map[string]int
	Faults       map[string]int
	Longest      float64     `json:"longest_ms"`
	Waits        map[int]int // by milliseconds
}

// ask lets clients begin; finish ends them.
func (s *shell) ask(t *testing.T, url string, body ...string) *clients {
	t.Helper()
	return s.askOften(t, 200, 20, url, body...)
}

// askOften is ask at a rate of requests a second, and with so many clients.
func (s *shell) askOften(t *testing.T, rate, atOnce int, url string, body ...string) *clients {
	t.Helper()
	program := filepath.Join(s.dir, "restart-load")
	if missingFile([]string{program}) {
		if err := command(t.Context(), "go", "build", "-o", program, "../bench/restart-load"); err != nil {
			t.Fatal(err)
		}
	}
	c := &clients{out: filepath.Join(t.TempDir(), "answers")}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute) // ten restarts of two hosts that drain take five
	c.process = s.lab.Command(ctx, append([]string{program, c.out, strconv.Itoa(rate), strconv.Itoa(atOnce), url}, body...)...)
	c.process.Stdout, c.process.Stderr = &c.said, &c.said
	stdin, err := c.process.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.process.Start(); err != nil {
		t.Fatal(err)
	}
	c.end = stdin
	t.Cleanup(func() { cancel(); _ = c.process.Wait() }) // when the test has ended before its clients
	return c
}

func (c *clients) finish(t *testing.T) (a answers) {
	t.Helper()
	_ = c.end.Close()
	if err := c.process.Wait(); err != nil {
		t.Fatalf("restart-load: %v\n%s", err, &c.said)
	}
	text, err := os.ReadFile(c.out)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &a); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return a
}

// restarts restarts the API and the website below clients that ask for both.
// systemd holds their sockets, so none is refused. The control is the same with
// sockets that go with the service.
func (s *shell) restarts(t *testing.T) {
	const (
		times = 5
		films = "http://198.51.100.11:8082/films?limit=1"
		site  = "http://198.51.100.11:8081/"
		movie = `{"title": "Metropolis", "year": 1927, "minutes": 153}`
		pid   = `systemctl show -P MainPID `
	)
	served := func(service, port string) {
		t.Helper() // by the process that runs now
		s.await(t, shellHost, `[ "$(curl -s http://127.0.0.1:`+port+`/metrics | awk '/^http_request_duration_seconds_count/ { n += $2 } END { print n + 0 }')" -ge 40 ]`)
	}
	api, web := s.ask(t, films, movie), s.ask(t, site)
	for range times {
		served("films", "9092")
		served("site", "9091")
		before := s.sh(t, shellHost, pid+"films site")
		s.sh(t, shellHost, `systemctl restart films & systemctl restart site & wait`)
		if now := s.sh(t, shellHost, pid+"films site"); now == before {
			t.Errorf("nothing was restarted: %s", now)
		}
	}
	served("films", "9092")
	served("site", "9091")
	for name, got := range map[string]answers{"films": api.finish(t), "site": web.finish(t)} {
		t.Logf("%s: %d requests %v through %d restarts, %d failed, the longest took %.0f ms", name, got.Sent, got.Kinds, times, got.Failed, got.Longest)
		if got.Failed != 0 || got.Sent < 40*(times+1) {
			t.Errorf("%s: %d of %d failed: %v", name, got.Failed, got.Sent, got.Faults)
		}
		for _, kind := range []string{"GET kept", "GET new", "POST kept", "POST new"} {
			if name == "films" && got.Kinds[kind] == 0 {
				t.Errorf("no request %s", kind)
			}
		}
	}
	if n, err := strconv.Atoi(s.sql(t, "films", `SELECT count(*) FROM films`)); err != nil || n < 40 {
		t.Errorf("the database has %d films: %v", n, err)
	}
	s.expect(t, shellHost, `systemctl show -P NRestarts films site; journalctl -q -o cat -u films -u site -p err`, "0\n\n0")

	control := s.ask(t, films, movie)
	served("films", "9092")
	s.sh(t, shellHost, `systemctl stop films.socket films.service; systemctl start films.socket films.service`)
	served("films", "9092")
	if got := control.finish(t); got.Failed == 0 {
		t.Errorf("the control: none of %d failed", got.Sent)
	} else {
		t.Logf("without the socket %d of %d failed: %v", got.Failed, got.Sent, got.Faults)
	}
}
