package service

import (
	"context"
	"net/http"
	"strings"
)

// Route names the route of a request for the metrics, where the handler is no
// [http.ServeMux], or one behind a handler that copies the request. It must be
// a pattern, not the path: each name is a series of its own for ever, and what comes after
// the first thousand is counted as "other". It is for the goroutine of the handler.
func Route(ctx context.Context, route string) {
	if r := requestOf(ctx); r != nil {
		r.route = route
	}
}

// otherRoute has the requests that no pattern matched.
const otherRoute = "other"

// routeOf is the pattern that a ServeMux found, without its method, which is
// another label.
func routeOf(named string, r *http.Request) string {
	route := named
	if route == "" {
		route = r.Pattern
	}
	if method, rest, found := strings.Cut(route, " "); found && !strings.Contains(method, "/") {
		route = strings.TrimLeft(rest, " \t")
	}
	if route == "" {
		return otherRoute
	}
	return route
}

// methodOf keeps clients from making up methods, and so series.
func methodOf(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return r.Method
	}
	return otherRoute
}
