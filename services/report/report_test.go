package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"
)

// films answers like the service of that name.
func films(pages ...string) *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := 0
		if r.URL.Path != "/films" {
			http.NotFound(w, r)
			return
		}
		_, _ = fmt.Sscan(r.FormValue("page"), &n)
		fmt.Fprint(w, pages[n])
	}))
}

func TestFetch(t *testing.T) {
	f := func(want []film, fault string, pages ...string) {
		t.Helper()
		server := films(pages...)
		defer server.Close()
		got, err := fetch(t.Context(), server.Client(), server.URL)
		if fault == "" && (err != nil || !reflect.DeepEqual(got, want)) || fault != "" && (err == nil || !strings.Contains(err.Error(), fault) || got != nil) {
			t.Errorf("%q: got %v, %v, want %v, %q", pages, got, err, want, fault)
		}
	}
	m, metropolis := film{1, "M", 1931, 0}, film{5, "Metropolis", 1927, 153}
	const first = `{"films":[{"id":1,"title":"M","year":1931}],"next":"/films?page=1"}`
	f(nil, "", `{"films":[]}`)
	f([]film{m}, "", `{"films":[{"id":1,"title":"M","year":1931}]}`)
	f([]film{m, metropolis}, "", first, `{"films":[{"id":5,"title":"Metropolis","year":1927,"minutes":153}]}`)
	f([]film{m}, "", first, `{"films":[]}`)
	f(nil, "film 1 comes after film 1", first, first)                                    // for ever
	f(nil, "an empty page", `{"films":[],"next":"/films?page=0"}`)                       // for ever
	f(nil, "unexpected EOF", first, `{"films":[{"id":5,"title":"Metropolis","year":192`) // half a page
	f(nil, "404 Not Found", `{"films":[{"id":1}],"next":"/elsewhere"}`)
	if _, err := fetch(t.Context(), http.DefaultClient, "films:8082"); err == nil || !strings.Contains(err.Error(), "FILMS_URL") {
		t.Errorf("no URL: %v", err)
	}
}

func TestSummarize(t *testing.T) {
	now := time.Date(2026, 11, 22, 4, 30, 0, 5, time.FixedZone("", 3600))
	got, err := json.Marshal(summarize([]film{{1, "M", 1931, 0}, {2, "Metropolis", 1927, 153}, {3, "Sunrise", 1927, 94}}, now))
	const want = `{"made":"2026-11-22T03:30:00Z","films":3,"minutes":247,"longest":"Metropolis","by_decade":{"1920s":2,"1930s":1}}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	if got, err := json.Marshal(summarize(nil, now)); err != nil || string(got) != `{"made":"2026-11-22T03:30:00Z","films":0,"minutes":0,"by_decade":{}}` {
		t.Errorf("none: %s, %v", got, err)
	}
}
