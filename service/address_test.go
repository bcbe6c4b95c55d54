package service

import (
	"net"
	"strings"
	"testing"
)

func TestAddress(t *testing.T) {
	f := func(text string, good bool) {
		t.Helper()
		var a Address
		err := a.UnmarshalText([]byte(text))
		if (err == nil) != good || good && string(a) != text {
			t.Errorf("%q: %q, %v", text, a, err)
		}
	}
	f(":8080", true)
	f("127.0.0.1:0", true)
	f("[::1]:80", true)
	f("films.example.org:65535", true)
	f("/run/films/http.sock", true)
	f("/"+strings.Repeat("x", 106), true)
	f("/"+strings.Repeat("x", 107), false)
	f("", false)
	f("8080", false)
	f(":65536", false)
	f(":-1", false)
	f(":http", false)
	f(":080", false)
	f("::1:80", false)
	f("run/films.sock", false)
	f("a b:80", false)
}

func TestSameAddress(t *testing.T) {
	f := func(a Address, bound string, want bool) {
		t.Helper()
		var addr net.Addr = &net.UnixAddr{Name: bound, Net: "unix"}
		if !strings.HasPrefix(bound, "/") {
			tcp, err := net.ResolveTCPAddr("tcp", bound)
			if err != nil {
				t.Fatal(err)
			}
			addr = tcp
		}
		if got := a.is(addr); got != want {
			t.Errorf("%q is %q: %v", a, bound, got)
		}
	}
	f(":80", "[::]:80", true)
	f(":80", "0.0.0.0:80", true)
	f("0.0.0.0:80", "[::]:80", true)
	f("[::]:80", "[::]:80", true)
	f("127.0.0.1:80", "127.0.0.1:80", true)
	f("localhost:80", "127.0.0.1:80", true)
	f("localhost:80", "[::1]:80", true)
	f("/run/a", "/run/a", true)
	f(":80", "127.0.0.1:80", false)
	f(":80", "[::]:81", false)
	f("127.0.0.1:80", "[::]:80", false)
	f("localhost:80", "[::]:80", false)
	f("/run/a", "/run/b", false)
	f("/run/a", "127.0.0.1:80", false)
	f("127.0.0.1:80", "/run/a", false)
	f("example.org:80", "127.0.0.1:80", false)
	if Address(":80").is(&net.UDPAddr{Port: 80}) {
		t.Error("UDP is TCP")
	}
}
