package service

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
)

// TestStatus compares what the client sees with what is counted and logged.
func TestStatus(t *testing.T) {
	broken := func() io.Reader { return iotest.ErrReader(errors.New("the source is broken")) }
	mux := http.NewServeMux()
	mux.HandleFunc("/broken", func(w http.ResponseWriter, _ *http.Request) {
		if _, err := io.Copy(w, broken()); err != nil {
			http.Error(w, "bad", http.StatusBadGateway)
		}
	})
	mux.HandleFunc("/panic", func(w http.ResponseWriter, _ *http.Request) {
		_, err := io.Copy(w, broken())
		panic(err)
	})
	mux.HandleFunc("/impossible", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(1000) })
	mux.HandleFunc("/empty", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.Copy(w, strings.NewReader("")) })
	mux.HandleFunc("/short", func(w http.ResponseWriter, _ *http.Request) {
		if n, err := io.Copy(w, &plain{strings.NewReader("short")}); n != 5 || err != nil {
			t.Errorf("%d bytes, %v", n, err)
		}
	})
	mux.HandleFunc("/long", func(w http.ResponseWriter, _ *http.Request) {
		if n, err := io.Copy(w, &plain{bytes.NewReader(make([]byte, 1<<20))}); n != 1<<20 || err != nil {
			t.Errorf("%d bytes, %v", n, err)
		}
	})
	mux.HandleFunc("/half", func(w http.ResponseWriter, _ *http.Request) {
		_, err := io.Copy(w, io.MultiReader(strings.NewReader("half"), broken()))
		panic(err)
	})
	s := newServed(t, mux)
	f := func(path string, want, length int) {
		t.Helper()
		for _, major := range []int{1, 2} {
			response, body, err := s.ask(t, major, "GET", path)
			if want == 0 {
				if err == nil {
					t.Errorf("HTTP/%d %s: %s %q looks whole", major, path, response.Status, body)
				}
			} else if err != nil || response.StatusCode != want || length >= 0 && len(body) != length {
				t.Errorf("HTTP/%d %s: %v, %d bytes, %v, want %d", major, path, response, len(body), err, want)
			}
		}
	}
	f("/broken", 502, -1)
	f("/panic", 500, -1)
	f("/impossible", 500, -1)
	f("/empty", 200, 0)
	f("/short", 200, 5)
	f("/long", 200, 1<<20)
	f("/half", 0, 0)
	s.Close()
	s.count(t, map[string]float64{
		"5xx GET /broken": 2, "5xx GET /panic": 2, "5xx GET /impossible": 2, "2xx GET /empty": 2,
		"2xx GET /short": 2, "2xx GET /long": 2, "5xx GET /half": 2,
	})
	if panics := family(t, s.registry, "http_panics_total"); panics[""] != 6 {
		t.Errorf("%v panics, want 6", panics)
	}
}

// plain is a reader that can do nothing else.
type plain struct{ io.Reader }

// TestRouteThatIsNoText must not cost more than the route's name.
func TestRouteThatIsNoText(t *testing.T) {
	s := newServed(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		Route(r.Context(), "/films/\xff")
		_, _ = io.WriteString(w, "ok")
	}))
	if _, body, err := s.ask(t, 1, "GET", "/"); err != nil || body != "ok" {
		t.Errorf("%q, %v", body, err)
	}
	s.Close()
	s.count(t, map[string]float64{"2xx GET /films/\uFFFD": 1})
	if n := s.shell.metrics.inFlight.Load(); n != 0 {
		t.Errorf("%d requests in flight", n)
	}
}

// TestTooLarge ends the connection of HTTP/1 as net/http does by itself; one of HTTP/2
// has other requests.
func TestTooLarge(t *testing.T) {
	s := newServed(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1000)); err != nil {
			http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		}
	}))
	f := func(major, length, status int, closed bool) {
		t.Helper()
		var protocols http.Protocols
		protocols.SetHTTP1(major == 1)
		protocols.SetUnencryptedHTTP2(major == 2)
		transport := &http.Transport{Protocols: &protocols}
		defer transport.CloseIdleConnections()
		r, _ := http.NewRequestWithContext(t.Context(), "POST", s.URL, strings.NewReader(strings.Repeat("x", length)))
		response, err := transport.RoundTrip(r)
		if err != nil {
			t.Error(err)
			return
		}
		response.Body.Close()
		if response.StatusCode != status || response.Close != closed {
			t.Errorf("HTTP/%d, %d bytes: %d, closed %v, want %d, %v", major, length, response.StatusCode, response.Close, status, closed)
		}
	}
	f(1, 1000, 200, false)
	f(1, 5000, 413, true)
	f(2, 1000, 200, false)
	f(2, 5000, 413, false)
}
