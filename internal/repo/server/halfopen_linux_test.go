package server

import (
	"io"
	"net"
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

// cable is two hosts, as network namespaces, and a cable between them.
type cable struct {
	t            *testing.T
	here, there  netns.NsHandle
	hereIP       string
	plug         netlink.Link // of there
	home         netns.NsHandle
	theirNetwork *netlink.Handle
}

// newCable keeps this goroutine on its thread, which goes from one host to the
// other; sockets stay where they were made.
func newCable(t *testing.T) *cable {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("not root: left out the test of a host that is gone without a word")
	}
	runtime.LockOSThread()
	c := &cable{t: t, hereIP: "198.51.100.1"}
	var err error
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	c.home, err = netns.Get()
	check(err)
	t.Cleanup(func() {
		check(netns.Set(c.home))
		runtime.UnlockOSThread()
		c.home.Close()
	})
	c.there, err = netns.New()
	check(err)
	c.here, err = netns.New() // and the thread is here now
	check(err)
	t.Cleanup(func() { c.here.Close(); c.there.Close() })
	pair := netlink.NewVeth(netlink.NewLinkAttrs())
	pair.Name, pair.PeerName, pair.PeerNamespace = "here", "there", netlink.NsFd(c.there)
	check(netlink.LinkAdd(pair))
	c.theirNetwork, err = netlink.NewHandleAt(c.there)
	check(err)
	ours, err := netlink.NewHandleAt(c.here)
	check(err)
	loopback, err := ours.LinkByName("lo")
	check(err)
	check(ours.LinkSetUp(loopback))
	for name, host := range map[string]struct {
		*netlink.Handle
		address string
	}{"here": {ours, c.hereIP + "/30"}, "there": {c.theirNetwork, "198.51.100.2/30"}} {
		link, err := host.LinkByName(name)
		check(err)
		address, err := netlink.ParseAddr(host.address)
		check(err)
		check(host.AddrAdd(link, address))
		check(host.LinkSetUp(link))
		if name == "there" {
			c.plug = link
		}
	}
	return c
}

func (c *cable) in(host netns.NsHandle, f func()) {
	c.t.Helper()
	if err := netns.Set(host); err != nil {
		c.t.Fatal(err)
	}
	f()
}

// TestHalfOpen pulls the cable: nobody tells the server that its clients are
// gone, one in the middle of a download and one between two requests. The
// control, with more patience, still has both when the guarded server has none.
func TestHalfOpen(t *testing.T) {
	c := newCable(t)
	dir := testTree(t)
	bigFile(t, dir)
	patient := Limits{Window: time.Hour, Idle: time.Hour, Silent: time.Hour}
	guarded := patient
	guarded.Silent = 2 * time.Second
	operation := map[string]string{}
	for name, limits := range map[string]Limits{"guarded": guarded, "control": patient} {
		here := func(serve func()) {
			runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
			if err := netns.Set(c.here); err != nil {
				t.Error(err)
			}
			serve()
		}
		r := startOn(t, here, c.hereIP+":0", dir, Options{Limits: limits}, "SHUTDOWN_TIMEOUT=1ms")
		address := r.address
		operation[name] = r.operation
		c.in(c.there, func() {
			// 64 GB, which this client would take for a long time.
			busy, idle := dial(t, address), dial(t, address)
			_, _ = io.WriteString(busy, strings.Repeat("GET /pool/big.deb HTTP/1.1\r\nHost: x\r\n\r\n", 1000))
			if _, err := busy.Read(make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
			go func() { _, _ = io.Copy(io.Discard, busy) }()
			_, _ = io.WriteString(idle, "HEAD /key.asc HTTP/1.1\r\nHost: x\r\n\r\n")
			if _, err := idle.Read(make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
		})
	}
	connections := regexp.MustCompile(`\nhttp_connections_open (\d+)\n`)
	open := func(name string) string {
		t.Helper()
		var ask *net.TCPConn
		c.in(c.here, func() { ask = dial(t, operation[name]) })
		defer ask.Close()
		_, _ = io.WriteString(ask, "GET /metrics HTTP/1.0\r\n\r\n")
		body, err := io.ReadAll(ask)
		if err != nil {
			t.Fatal(err)
		}
		return string(connections.FindSubmatch(body)[1])
	}
	if a, b := open("guarded"), open("control"); a != "2" || b != "2" {
		t.Fatalf("%s and %s connections, want 2 and 2", a, b)
	}
	if err := c.theirNetwork.LinkSetDown(c.plug); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); open("guarded") != "0"; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s connections are still there", open("guarded"))
		}
	}
	if n := open("control"); n != "2" {
		t.Errorf("the control has %s connections: the test proves nothing", n)
	}
}
