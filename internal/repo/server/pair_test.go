package server

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// reader reads like dnf: the root, then its signature on a new connection.
type reader struct {
	t      *testing.T
	client *http.Client
	base   string
}

// newReader asks from one address of the loopback.
func newReader(t *testing.T, base, from string) reader {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	transport := &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}
	return reader{t, &http.Client{Transport: transport}, base + "/" + repodata}
}

func (r reader) get(name string) string {
	request, err := http.NewRequestWithContext(context.Background(), "GET", r.base+name, nil)
	if err != nil {
		r.t.Error(err)
		return ""
	}
	response, err := r.client.Do(request)
	if err != nil {
		r.t.Error(err)
		return ""
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != 200 {
		r.t.Errorf("%s: %s, %v", name, response.Status, err)
	}
	return string(body)
}

// holds reads the pair, with a publication in between when there is one.
func (r reader) holds(between func()) bool {
	text := r.get("repomd.xml")
	if between != nil {
		between()
	}
	return r.get("repomd.xml.asc") == signature(text)
}

func TestPair(t *testing.T) {
	dir := testTree(t)
	address := start(t, dir, Options{}).address
	ours := newReader(t, "http://"+address, "127.0.0.1")
	control := httptest.NewServer(http.FileServer(http.Dir(dir)))
	defer control.Close()
	plain := newReader(t, control.URL, "127.0.0.1")

	generation := 0
	publish := func() { generation++; publishPair(t, dir, fmt.Sprint("generation ", generation)) }
	for range 5 {
		if !ours.holds(publish) {
			t.Error("the signature is not that of the root which was read")
		}
		if plain.holds(publish) {
			t.Error("the control holds: the test proves nothing")
		}
	}
	// Half a publication: the root is new and its signature is not yet.
	put(t, dir, repodata+sum("half")+"-repomd.xml.asc", signature("half"))
	put(t, dir, repodata+"repomd.xml", "half")
	if got := ours.get("repomd.xml.asc"); got != signature(fmt.Sprint("generation ", generation-2)) {
		t.Errorf("who has read an older root gets %q", got)
	}
	if !ours.holds(nil) {
		t.Error("half a publication does not hold")
	}
	if plain.holds(nil) {
		t.Error("the control holds at half a publication: the test proves nothing")
	}
	// Who has read no root gets what belongs to the current one.
	if got := newReader(t, "http://"+address, "127.0.0.2").get("repomd.xml.asc"); got != signature("half") {
		t.Errorf("a client that read nothing gets %q", got)
	}
	// A tree without the pairs under their digests works as a plain server does.
	if err := os.Remove(filepath.Join(dir, repodata+sum("half")+"-repomd.xml.asc")); err != nil {
		t.Fatal(err)
	}
	if got := newReader(t, "http://"+address, "127.0.0.3").get("repomd.xml.asc"); got != signature(fmt.Sprint("generation ", generation)) {
		t.Errorf("without pairs under their digests: %q", got)
	}
}

// TestPairRace lets several clients read while a publisher never rests.
func TestPairRace(t *testing.T) {
	dir := testTree(t)
	address := start(t, dir, Options{}).address
	stop, stopped := make(chan struct{}), make(chan int)
	go func() {
		n := 0
		for ; ; n++ {
			select {
			case <-stop:
				stopped <- n
				return
			default:
				publishPair(t, dir, fmt.Sprint("race ", n))
			}
		}
	}()
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			r := newReader(t, "http://"+address, fmt.Sprintf("127.0.0.%d", i+1))
			for range 100 {
				if !r.holds(nil) {
					t.Error("the signature is not that of the root which was read")
				}
			}
		})
	}
	wg.Wait()
	close(stop)
	t.Logf("400 pairs were read while %d were published", <-stopped)
}

func TestGiven(t *testing.T) {
	clock := time.Unix(0, 0)
	g := newGiven(time.Minute, 3)
	g.now = func() time.Time { return clock }
	f := func(who, want string) {
		t.Helper()
		if got := g.digest(who); got != want {
			t.Errorf("%s at %s: %q, want %q", who, clock.UTC().Format(time.TimeOnly), got, want)
		}
	}
	g.remember("a", "1")
	g.remember("b", "1")
	g.remember("a", "2")
	f("a", "2")
	f("b", "1")
	f("c", "")
	clock = clock.Add(40 * time.Second)
	g.remember("b", "3")
	clock = clock.Add(40 * time.Second)
	f("a", "") // 80 seconds ago
	f("b", "3")
	// The bound holds, the oldest go, and nothing is left of those that went.
	for i := range 1000 {
		g.remember(fmt.Sprint("client ", i), "4")
	}
	f("client 996", "")
	f("client 997", "4")
	f("client 999", "4")
	clock = clock.Add(time.Hour)
	g.remember("last", "5")
	if len(g.byWho) != 1 || g.order.Len() != 1 {
		t.Errorf("holds %d and %d clients, want 1", len(g.byWho), g.order.Len())
	}
}

func TestClient(t *testing.T) {
	f := func(forwarded, want string) {
		t.Helper()
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = "[::1]:4711"
		r.Header.Set("X-Forwarded-For", forwarded)
		if got := client(r); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	f("", "::1 ")
	f("198.51.100.7", "::1 198.51.100.7")
	f(string(make([]byte, 5000)), "::1 "+string(make([]byte, 100)))
}
