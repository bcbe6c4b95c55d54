package service

import (
	"net/http/httptest"
	"testing"
)

func TestFromHere(t *testing.T) {
	f := func(want bool, client, host string, header ...string) {
		t.Helper()
		r := httptest.NewRequest("GET", "/debug/pprof/heap", nil)
		r.RemoteAddr, r.Host = client, host
		for i := 0; i+1 < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		if got := fromHere(r); got != want {
			t.Errorf("from %s for %q with %q: %v, want %v", client, host, header, got, want)
		}
	}
	const here = "127.0.0.1:1234"
	for _, host := range []string{"localhost", "LOCALHOST:9090", "127.0.0.1", "127.0.0.1:9090", "127.1.2.3:80", "::1", "[::1]", "[::1]:9090", "[::ffff:127.0.0.1]:9090"} {
		f(true, here, host)
	}
	for _, host := range []string{"", "evil.example", "evil.example:9090", "localhost.evil.example", "127.0.0.1.evil.example:9090", "192.0.2.1:9090", "[2001:db8::1]:9090", "0.0.0.0:9090"} {
		f(false, here, host)
	}
	f(false, stranger, "localhost:9090")
	for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Forwarded", "Via"} {
		f(false, here, "localhost:9090", name, "")
		f(false, here, "localhost:9090", name, "x")
	}
	f(true, here, "localhost:9090", "X-Other", "x")
}
