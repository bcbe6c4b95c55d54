package service

import (
	"context"
	"regexp"
	"strings"
	"testing"
)

func TestRequestID(t *testing.T) {
	f := func(given string, kept bool) {
		t.Helper()
		got := requestID(given)
		if kept && got != given || !kept && !regexp.MustCompile(`^[0-9a-f]{16}$`).MatchString(got) {
			t.Errorf("%q became %q", given, got)
		}
	}
	f("a", true)
	f("01ARZ3NDEKTSV4RRFFQ69G5FAV", true)
	f("a/b+c=d:e@f_g.h-i", true)
	f(strings.Repeat("a", 128), true)
	f("", false)
	f(strings.Repeat("a", 129), false)
	f("a b", false)
	f("a\"b", false)
	f("a\nb", false)
	f("é", false)
	if a, b := requestID(""), requestID(""); a == b {
		t.Errorf("twice %s", a)
	}
}

func TestTraceID(t *testing.T) {
	const id = "0af7651916cd43dd8448eb211c80319c"
	f := func(traceparent, want string) {
		t.Helper()
		if got := traceID(traceparent); got != want {
			t.Errorf("%q: %q, want %q", traceparent, got, want)
		}
	}
	f("00-"+id+"-b7ad6b7169203331-01", id)
	f("01-"+id+"-b7ad6b7169203331-01", id)
	f("01-"+id+"-b7ad6b7169203331-01-more", id)
	f("", "")
	f("00-"+id+"-b7ad6b7169203331-01-more", "")
	f("01-"+id+"-b7ad6b7169203331-01more", "")
	f("ff-"+id+"-b7ad6b7169203331-01", "")
	f("0g-"+id+"-b7ad6b7169203331-01", "")
	f("00-"+strings.ToUpper(id)+"-b7ad6b7169203331-01", "")
	f("00-"+strings.Repeat("0", 32)+"-b7ad6b7169203331-01", "")
	f("00-"+id+"-0000000000000000-01", "")
	f("00-"+id+"-b7ad6b716920333x-01", "")
	f("00-"+id+"-b7ad6b7169203331_01", "")
	f("00-"+id+"-b7ad6b7169203331-0", "")
	f("00"+id+"-b7ad6b7169203331-01-00", "")
}

// FuzzTraceID never fails on what a client sends, and gives nothing but an id.
func FuzzTraceID(f *testing.F) {
	f.Add("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	f.Add("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x")
	f.Fuzz(func(t *testing.T, traceparent string) {
		if id := traceID(traceparent); id != "" && (len(id) != 32 || !hexadecimal(id) || !strings.Contains(traceparent, id)) {
			t.Errorf("%q became %q", traceparent, id)
		}
	})
}

func TestRequestOfContext(t *testing.T) {
	if RequestID(t.Context()) != "" || TraceID(t.Context()) != "" || requestAttrs(t.Context()) != nil {
		t.Error("an id without a request")
	}
	type other struct{}
	parent, cancel := context.WithCancel(context.WithValue(t.Context(), other{}, "kept"))
	ctx := WithRequest(parent, "one", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	child, stop := context.WithCancel(ctx)
	defer stop()
	if RequestID(child) != "one" || TraceID(child) != "0af7651916cd43dd8448eb211c80319c" || child.Value(other{}) != "kept" {
		t.Errorf("%s, %s, %v", RequestID(child), TraceID(child), child.Value(other{}))
	}
	if attrs := requestAttrs(child); len(attrs) != 2 || attrs[0].String() != "request_id=one" {
		t.Errorf("%v", attrs)
	}
	cancel()
	<-child.Done()
}
