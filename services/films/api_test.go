package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// shelf is a catalogue in memory; err is what it always says.
type shelf struct {
	films []Film
	err   error
}

func (s *shelf) add(_ context.Context, f Film) (Film, error) {
	f.ID = int64(len(s.films) + 1)
	s.films = append(s.films, f)
	return f, s.err
}

func (s *shelf) get(_ context.Context, id int64) (Film, error) {
	if id > int64(len(s.films)) {
		return Film{}, errors.Join(errNoFilm, s.err)
	}
	return s.films[id-1], s.err
}

func (s *shelf) list(_ context.Context, after int64, limit int) ([]Film, error) {
	rest := s.films[min(after, int64(len(s.films))):]
	return rest[:min(limit, len(rest))], s.err
}

func ask(h http.Handler, method, path, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	return w
}

func TestAPI(t *testing.T) {
	h := newAPI(&shelf{films: []Film{}}, slog.New(slog.DiscardHandler))
	f := func(method, path, body string, status int, want string) {
		t.Helper()
		w := ask(h, method, path, body)
		if got := strings.TrimSpace(w.Body.String()); w.Code != status || !strings.HasPrefix(got, want) {
			t.Errorf("%s %s %.60s: %d %s, want %d %s", method, path, body, w.Code, got, status, want)
		}
	}
	f("GET", "/films", "", 200, `{"films":[]}`)
	f("GET", "/films/1", "", 404, `{"error":"there is no such film"}`)
	f("POST", "/films", `{"title":"Metropolis","year":1927,"minutes":153}`, 201, `{"id":1,"title":"Metropolis","year":1927,"minutes":153}`)
	f("POST", "/films", `{"title":"Стачка","year":1925}`, 201, `{"id":2,"title":"Стачка","year":1925}`)
	f("POST", "/films", `{"title":"M","year":1931}`, 201, `{"id":3,`)
	if w := ask(h, "POST", "/films", `{"title":"Sunrise","year":1927}`); w.Header().Get("Location") != "/films/4" || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("headers of a new film: %v", w.Header())
	}
	f("GET", "/films/2", "", 200, `{"id":2,"title":"Стачка","year":1925}`)
	f("GET", "/films?limit=2", "", 200, `{"films":[{"id":1,"title":"Metropolis","year":1927,"minutes":153},{"id":2,"title":"Стачка","year":1925}],"next":"/films?after=2\u0026limit=2"}`)
	f("GET", "/films?after=2&limit=3", "", 200, `{"films":[{"id":3,"title":"M","year":1931},{"id":4,"title":"Sunrise","year":1927}]}`)

	const like = `{"error":"the body is not like `
	f("POST", "/films", ``, 400, like)
	f("POST", "/films", `[]`, 400, like)
	f("POST", "/films", `{"title":"M","year":"1931"}`, 400, like)
	f("POST", "/films", `{"title":"M","year":1931,"stars":5}`, 400, like)
	f("POST", "/films", `{"title":"M","year":1931} {}`, 400, like)
	f("POST", "/films", `{"id":7,"title":"M","year":1931}`, 400, like)
	f("POST", "/films", `{"title":"`+strings.Repeat("x", 70_000)+`"}`, 413, `{"error":"a film has at most 64 KiB"}`)
	f("POST", "/films", `{"title":" ","year":3000,"minutes":-1}`, 422, `{"error":"title is missing; year must be 1888 to 2200; minutes must be 1 to 10000, or left out"}`)
	f("POST", "/films", `{"title":"a\u0000b","year":1931}`, 422, `{"error":"title has a control character"}`)
	f("POST", "/films", `{"title":"`+strings.Repeat("я", 200)+`","year":1931}`, 201, `{"id":5,`)
	f("POST", "/films", `{"title":"`+strings.Repeat("я", 201)+`","year":1931}`, 422, `{"error":"title has more than 200 characters"}`)
	for _, query := range []string{"limit=0", "limit=1001", "limit=x", "after=-1", "after=99999999999999999999"} {
		f("GET", "/films?"+query, "", 400, `{"error":"after and limit are numbers`)
	}
	for _, id := range []string{"0", "-1", "x", "99999999999999999999"} {
		f("GET", "/films/"+id, "", 404, `{"error":"there is no such film"}`)
	}
	f("DELETE", "/films/1", "", 405, "Method Not Allowed")
}

// TestNoDatabase answers without the database's own words, which are in the
// log; a client who has gone is no news.
func TestNoDatabase(t *testing.T) {
	var log bytes.Buffer
	h := newAPI(&shelf{films: []Film{{ID: 1}}, err: errors.New("dial 192.0.2.1: refused")}, slog.New(slog.NewTextHandler(&log, nil)))
	for i, path := range []string{"GET /films", "GET /films/1", "POST /films"} {
		method, path, _ := strings.Cut(path, " ")
		w := ask(h, method, path, `{"title":"M","year":1931}`)
		if w.Code != 503 || strings.TrimSpace(w.Body.String()) != `{"error":"the database does not answer"}` || w.Header().Get("Retry-After") == "" {
			t.Errorf("%s %s: %d %s", method, path, w.Code, w.Body)
		}
		if n := strings.Count(log.String(), "level=ERROR"); n != i+1 || !strings.Contains(log.String(), "192.0.2.1: refused") {
			t.Errorf("log of %s %s: %s", method, path, &log)
		}
	}
	log.Reset()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/films", nil).WithContext(gone))
	if log.Len() > 0 {
		t.Errorf("log: %s", &log)
	}
}

// TestDSN keeps the password out of errors.
func TestDSN(t *testing.T) {
	f := func(dsn string) {
		t.Helper()
		if _, err := parseDSN(dsn); err == nil || !strings.HasPrefix(err.Error(), "read POSTGRES_DSN: ") || strings.Contains(fmt.Sprintf("%+v", err), "hunter2") {
			t.Errorf("got %v", err)
		}
	}
	f("postgres://films:hunter2@host:port/films")
	f("postgres://films:hunter2%zz@host/films")
	f("host=x password=hunter2 port=hunter2")
	f("password='hunter2")
	f("hunter2")
}
