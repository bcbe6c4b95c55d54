package service

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// served is a handler with the shell around it, on a real server.
type served struct {
	*httptest.Server
	shell    *httpServer
	registry *prometheus.Registry
	log      *bytes.Buffer // to be read when the server is closed
}

func newServed(t *testing.T, h http.Handler) *served {
	t.Helper()
	s := &served{registry: prometheus.NewRegistry(), log: &bytes.Buffer{}}
	log := slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s.shell = newHTTPServer(h, newRequestMetrics(s.registry), log)
	s.Server = httptest.NewUnstartedServer(nil)
	s.Config = s.shell.server
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// ask is a request of HTTP/1.1 or 2.
func (s *served) ask(t *testing.T, major int, method, path string, header ...string) (*http.Response, string, error) {
	t.Helper()
	var protocols http.Protocols
	protocols.SetHTTP1(major == 1)
	protocols.SetUnencryptedHTTP2(major == 2)
	transport := &http.Transport{Protocols: &protocols}
	defer transport.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response, err := transport.RoundTrip(r)
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close()
	if response.ProtoMajor != major {
		t.Errorf("%s, want HTTP/%d", response.Proto, major)
	}
	body, err := io.ReadAll(response.Body)
	return response, string(body), err
}

// family is a metric by the values of its labels in the order of their names.
func family(t *testing.T, registry prometheus.Gatherer, name string) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, m := range family.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetValue())
			}
			values[strings.Join(labels, " ")] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return values
}

// count compares the numbers of requests, by code, method and route.
func (s *served) count(t *testing.T, want map[string]float64) {
	t.Helper()
	if got := family(t, s.registry, "http_request_duration_seconds"); !maps.Equal(got, want) {
		t.Errorf("counted %v, want %v", got, want)
	}
}

func TestRoutes(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /films/{id}", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/any", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	mux.HandleFunc("/early", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	mux.HandleFunc("/named/", func(_ http.ResponseWriter, r *http.Request) { Route(r.Context(), "/named/{rest}") })
	s := newServed(t, mux)
	for _, major := range []int{1, 2} {
		for _, ask := range [][2]string{{"GET", "/films/1"}, {"HEAD", "/films/2"}, {"POST", "/films/3"}, {"MADE-UP", "/any"}, {"GET", "/early"}, {"GET", "/named/x"}, {"GET", "/nowhere"}} {
			if _, _, err := s.ask(t, major, ask[0], ask[1]); err != nil {
				t.Error(err)
			}
		}
	}
	s.Close()
	s.count(t, map[string]float64{
		"2xx GET /films/{id}": 2, "2xx HEAD /films/{id}": 2, "4xx POST other": 2, "4xx other /any": 2,
		"5xx GET /early": 2, "2xx GET /named/{rest}": 2, "4xx GET other": 2,
	})
	if n := s.shell.metrics.inFlight.Load(); n != 0 {
		t.Errorf("%d requests in flight", n)
	}
	if log := s.log.String(); strings.Count(log, "level=WARN msg=request") != 2 || strings.Count(log, "level=DEBUG msg=request") != 12 {
		t.Errorf("the log:\n%s", log)
	}
}

// TestMostSeries has more routes than there may be, counted by many at once.
func TestMostSeries(t *testing.T) {
	registry := prometheus.NewRegistry()
	m := newRequestMetrics(registry)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 2 * mostSeries {
				m.answered(series{route: strconv.Itoa(i), method: "GET", class: 2}, time.Millisecond)
			}
		})
	}
	wg.Wait()
	got, all := family(t, registry, "http_request_duration_seconds"), 0.0
	for _, n := range got {
		all += n
	}
	if len(got) != mostSeries+1 || all != 8*mostSeries || got["2xx GET other"] != 4*mostSeries {
		t.Errorf("%d series of %v requests, want %d and the one of all others", len(got), all, mostSeries)
	}
}

func TestRequestIDs(t *testing.T) {
	s := newServed(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, RequestID(r.Context())+" "+TraceID(r.Context()))
	}))
	for _, major := range []int{1, 2} {
		response, body, err := s.ask(t, major, "GET", "/", "X-Request-Id", "mine", "Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
		if err != nil || body != "mine 0af7651916cd43dd8448eb211c80319c" || response.Header.Get("X-Request-Id") != "mine" {
			t.Errorf("%q, %v, %v", body, response.Header, err)
		}
		response, body, err = s.ask(t, major, "GET", "/", "X-Request-Id", "not mine")
		if id := response.Header.Get("X-Request-Id"); err != nil || len(id) != 16 || body != id+" " {
			t.Errorf("%q, %v, %v", body, response.Header, err)
		}
	}
}

func TestPanics(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/early", func(http.ResponseWriter, *http.Request) { panic("the reason") })
	mux.HandleFunc("/late", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush()
		panic("the reason")
	})
	mux.HandleFunc("/abort", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	s := newServed(t, mux)
	for _, major := range []int{1, 2} {
		response, body, err := s.ask(t, major, "GET", "/early")
		if err != nil || response.StatusCode != 500 || strings.Contains(body, "reason") || response.Header.Get("X-Request-Id") == "" {
			t.Errorf("%v: %q, %v", response, body, err)
		}
		if _, body, err := s.ask(t, major, "GET", "/late"); err == nil {
			t.Errorf("half an answer looks whole: %q", body)
		}
		if _, _, err := s.ask(t, major, "GET", "/abort"); err == nil {
			t.Error("an answer of a handler that broke off")
		}
	}
	s.Close()
	if panics := family(t, s.registry, "http_panics_total"); panics[""] != 4 {
		t.Errorf("%v panics, want 4", panics)
	}
	log := s.log.String()
	if strings.Count(log, "handler panicked") != 4 || !strings.Contains(log, "the reason") || !strings.Contains(log, "TestPanics") {
		t.Errorf("the log has not the reason and the place:\n%s", log)
	}
	s.count(t, map[string]float64{"5xx GET /early": 2, "5xx GET /late": 2, "none GET /abort": 2})
}

// TestWriter looks for what handlers ask a writer for: as much as net/http's own
// can do, and no more.
func TestWriter(t *testing.T) {
	type able struct{ flush, text, file, hijack bool }
	var got able
	s := newServed(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, got.flush = w.(http.Flusher)
		_, got.text = w.(io.StringWriter)
		_, got.file = w.(io.ReaderFrom)
		_, got.hijack = w.(http.Hijacker)
		if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Minute)); err != nil && got.hijack {
			t.Error(err)
		}
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
	}))
	for major, want := range map[int]able{1: {true, true, true, true}, 2: {true, true, false, false}} {
		if _, _, err := s.ask(t, major, "GET", "/"); err != nil || got != want {
			t.Errorf("HTTP/%d: %+v, want %+v; %v", major, got, want, err)
		}
	}
	s.shell.server.Handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil).WithContext(t.Context()))
	if got.hijack || got.file {
		t.Errorf("a recorder can do %+v", got)
	}
}

func TestHijack(t *testing.T) {
	s := newServed(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "my own")
		panic("and more") // must not write into what is not ours any more
	}))
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if all, err := io.ReadAll(conn); err != nil || string(all) != "my own" {
		t.Errorf("%q, %v", all, err)
	}
	for end := time.Now().Add(10 * time.Second); s.shell.Connections() != 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d connections open", s.shell.Connections())
		}
	}
}

// TestSendfile wants the writer of net/http to get a file as a file, which
// is what lets the kernel send it.
func TestSendfile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, bytes.Repeat([]byte("x"), 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	w := &fileTaker{ResponseRecorder: httptest.NewRecorder()}
	h := newHTTPServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, name) }),
		newRequestMetrics(prometheus.NewRegistry()), slog.New(slog.DiscardHandler)).server.Handler
	h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if limited, ok := w.from.(*io.LimitedReader); !ok || w.n != 1<<20 {
		t.Errorf("%d bytes from a %T", w.n, w.from)
	} else if _, ok := limited.R.(*os.File); !ok {
		t.Errorf("from a %T", limited.R)
	}
}

type fileTaker struct {
	*httptest.ResponseRecorder
	http.Hijacker
	from io.Reader
	n    int64
}

func (f *fileTaker) ReadFrom(r io.Reader) (n int64, err error) {
	f.from = r
	if f.Body == nil {
		return 0, errors.New("no body")
	}
	f.n, err = io.Copy(f.Body, r)
	return f.n, err
}
