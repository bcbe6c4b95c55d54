package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestRoutes(t *testing.T) {
	h := routes("good morning")
	f := func(method, path string, status int, body string) {
		t.Helper()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, path, nil))
		if w.Code != status || body != "" && w.Body.String() != body {
			t.Errorf("%s %s: %d %q, want %d %q", method, path, w.Code, w.Body, status, body)
		}
	}
	f("GET", "/", http.StatusOK, "good morning from my-service\n")
	f("POST", "/", http.StatusMethodNotAllowed, "")
	f("GET", "/nothing", http.StatusNotFound, "")
}
