package service

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestHandedNames(t *testing.T) {
	f := func(fds, pid, names string, want ...string) {
		t.Helper()
		got := handedNames(map[string]string{"LISTEN_FDS": fds, "LISTEN_PID": pid, "LISTEN_FDNAMES": names}, 42)
		if !slices.Equal(got, want) {
			t.Errorf("%s for %s: %q, want %q", fds, pid, got, want)
		}
	}
	f("", "", "")
	f("2", "42", "http:metrics", "http", "metrics")
	f("2", "42", "", "", "")
	f("1", "42", "http:metrics", "http")
	f("1", "43", "http")
	f("1", "", "http")
	f("x", "42", "http")
	f("-1", "42", "http")
	f("1000000000", "42", "")
}

func listening(t *testing.T, network, address string) net.Listener {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func TestListenAll(t *testing.T) {
	one, two, three := listening(t, "tcp", "127.0.0.1:0"), listening(t, "tcp", "127.0.0.1:0"), listening(t, "unix", filepath.Join(t.TempDir(), "s"))
	address := func(l net.Listener) Address { return Address(l.Addr().String()) }
	f := func(parts []listenPart, sockets []handed, want []net.Listener, left ...net.Listener) {
		t.Helper()
		got, unused, err := listenAll(parts, sockets)
		if err != nil {
			t.Fatal(err)
		}
		for i, w := range want {
			if w == nil { // a new one
				if got[i] == nil || slices.Contains([]net.Listener{one, two, three}, got[i]) {
					t.Errorf("part %d has %v, which is not new", i, got[i])
				}
				_ = got[i].Close()
			} else if got[i] != w {
				t.Errorf("part %d listens on %s, want %s", i, got[i].Addr(), w.Addr())
			}
		}
		var names []net.Listener
		for _, u := range unused {
			names = append(names, u.listener)
		}
		if !slices.Equal(names, left) {
			t.Errorf("%d are left, want %d", len(names), len(left))
		}
	}
	sockets := []handed{{"films.socket", one}, {"grpc", two}, {"films.socket", three}}
	f(nil, nil, nil)
	f([]listenPart{{name: "http", address: "127.0.0.1:0"}}, nil, []net.Listener{nil})
	f([]listenPart{{name: "http", address: address(one)}}, sockets, []net.Listener{one}, two, three)
	f([]listenPart{{name: "http", address: address(three)}, {name: "x", address: address(one)}}, sockets, []net.Listener{three, one}, two)
	f([]listenPart{{name: "grpc", address: ":1"}, {name: "http", address: "127.0.0.1:0"}}, sockets, []net.Listener{two, nil}, one, three)
	// An address counts more than a name.
	f([]listenPart{{name: "grpc", address: address(one)}, {name: "http", address: address(two)}}, sockets, []net.Listener{one, two}, three)
	// One socket is for one part.
	f([]listenPart{{name: "grpc", address: "127.0.0.1:0"}, {name: "grpc", address: "127.0.0.1:0"}}, sockets, []net.Listener{two, nil}, one, three)
}

func TestListenFaults(t *testing.T) {
	taken, spare := listening(t, "tcp", "127.0.0.1:0"), listening(t, "tcp", "127.0.0.1:0")
	_, _, err := listenAll([]listenPart{
		{name: "http", address: Address(taken.Addr().String())},
		{name: "good", address: "127.0.0.1:0"},
		{name: "odd", address: "nonsense"},
		{name: "deep", address: "/nonexistent/socket"},
	}, []handed{{"unused", spare}})
	faults := each(err)
	if len(faults) != 3 {
		t.Fatalf("faults: %q", faults)
	}
	for i, want := range []string{"listen for http: ", `listen for odd: address "nonsense": `, "listen for deep: "} {
		if !strings.Contains(faults[i].Error(), want) {
			t.Errorf("fault %q, want %q", faults[i], want)
		}
	}
	if _, err := net.Dial("tcp", spare.Addr().String()); err == nil {
		t.Error("a socket that was handed over is still open")
	}
}

func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "films.sock")
	old, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	old.(*net.UnixListener).SetUnlinkOnClose(false)
	if l, err := listenOn(Address(path)); err == nil {
		_ = l.Close()
		t.Error("the socket of a living process was taken")
	}
	_ = old.Close() // as if it was killed
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	l, err := listenOn(Address(path))
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if l, err := listenOn(Address(path)); err == nil {
		_ = l.Close()
		t.Error("a file was taken for a socket")
	}
	if _, err := os.Stat(path); err != nil {
		t.Error("a file that is no socket was removed")
	}
}
