package service

import (
	"context"
	"encoding/hex"
	"log/slog"
	"math/rand/v2"
	"strings"
)

// request is what is known of a request: by its context to the log, by its
// fields to the metrics.
type request struct {
	context.Context
	id, trace, route string
}

type requestKey struct{}

// Value gives the request itself, and what the context below knows.
func (r *request) Value(key any) any {
	if key == (requestKey{}) {
		return r
	}
	return r.Context.Value(key)
}

func requestOf(ctx context.Context) *request {
	r, _ := ctx.Value(requestKey{}).(*request)
	return r
}

// WithRequest returns the context of a request that came by another way than
// [Service.HTTP] does, so that the log has its ids. An id that is not fit for the log
// (see [RequestID]) is replaced by a new one; traceparent may be empty.
func WithRequest(ctx context.Context, id, traceparent string) context.Context {
	return &request{Context: ctx, id: requestID(id), trace: traceID(traceparent)}
}

// RequestID is the id of the request whose context this is: what the client
// sent as X-Request-Id if that is 1 to 128 letters, digits or characters of
// "-_.:/+=@", and a random one if not. Outside of requests it is empty.
func RequestID(ctx context.Context) string {
	if r := requestOf(ctx); r != nil {
		return r.id
	}
	return ""
}

// TraceID is the trace-id of the traceparent header (W3C Trace Context, 3.2), 32
// hexadecimal digits, of the request whose context this is. It is empty where there is none.
func TraceID(ctx context.Context) string {
	if r := requestOf(ctx); r != nil {
		return r.trace
	}
	return ""
}

// requestAttrs are what each line of the log has that is written with the
// context of a request.
func requestAttrs(ctx context.Context) []slog.Attr {
	r := requestOf(ctx)
	if r == nil {
		return nil
	}
	attrs := []slog.Attr{slog.String("request_id", r.id)}
	if r.trace != "" {
		attrs = append(attrs, slog.String("trace_id", r.trace))
	}
	return attrs
}

func requestID(given string) string {
	if goodID(given) {
		return given
	}
	var random [8]byte
	for i, n := 0, rand.Uint64(); i < len(random); i, n = i+1, n>>8 {
		random[i] = byte(n)
	}
	var text [2 * len(random)]byte
	hex.Encode(text[:], random[:])
	return string(text[:])
}

func goodID(id string) bool {
	if id == "" || len(id) > 128 {
		return false
	}
	for i := range len(id) {
		c := id[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-_.:/+=@", c) >= 0) {
			return false
		}
	}
	return true
}

// traceID takes the second field of version-traceid-parentid-flags. Versions to
// come may have more fields; the version ff is forbidden, as is an id of zeros.
func traceID(traceparent string) string {
	const version, id, whole = 2, 32, 55
	if len(traceparent) < whole || traceparent[version] != '-' || traceparent[version+1+id] != '-' || traceparent[52] != '-' ||
		len(traceparent) > whole && (traceparent[:version] == "00" || traceparent[whole] != '-') {
		return ""
	}
	trace := traceparent[version+1 : version+1+id]
	if !hexadecimal(traceparent[:version]) || traceparent[:version] == "ff" || !hexadecimal(traceparent[36:52]) || !hexadecimal(traceparent[53:whole]) ||
		!hexadecimal(trace) || strings.Trim(trace, "0") == "" || strings.Trim(traceparent[36:52], "0") == "" {
		return ""
	}
	return trace
}

func hexadecimal(s string) bool {
	for i := range len(s) {
		if c := s[i]; !('0' <= c && c <= '9' || 'a' <= c && c <= 'f') {
			return false
		}
	}
	return true
}
