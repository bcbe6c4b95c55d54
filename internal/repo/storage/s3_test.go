package storage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
)

// TestServerWithoutConditions records why the lock is as it is: this server
// takes a write on the condition that the object is not there, answers 200, and
// replaces the object. A lock made of such writes would let everybody in.
func TestServerWithoutConditions(t *testing.T) {
	s := place{location: bucket(t)}.open(t).(*s3)
	var o minio.PutObjectOptions
	o.SetMatchETagExcept("*") // If-None-Match: *
	for _, body := range []string{"first", "second"} {
		if _, err := s.client.Client.PutObject(t.Context(), s.bucket, "x", strings.NewReader(body), int64(len(body)), o); err != nil {
			t.Fatalf("the server has learned conditional writes; the comment at s3Lock is out of date: %v", err)
		}
	}
	has(t, s, "x", "second")
}

func TestManyWritersOfABucket(t *testing.T) {
	p := place{location: bucket(t), options: Options{Lease: 12 * time.Second}}
	s := p.open(t)
	put(t, s, text("counter", "0"))
	begun := time.Now()
	count(t, p, 8, 20)
	t.Logf("8 writers took the lock 20 times each in %v", time.Since(begun).Round(time.Millisecond))
	var left []string
	for o, err := range s.(*s3).objects(t.Context(), lockName+"/") {
		if err != nil {
			t.Fatal(err)
		}
		left = append(left, o.Name)
	}
	if !slices.Equal(left, []string{".lock/README"}) {
		t.Errorf("below .lock is left %q", left)
	}
}

// unlocked is a store whose lock does nothing, and whose readers wait for each
// other once.
type unlocked struct {
	Store
	readers *atomic.Int32
	writing *sync.Mutex
}

func (u unlocked) Put(ctx context.Context, files []File) error {
	u.writing.Lock()
	defer u.writing.Unlock()
	return u.Store.Put(ctx, files)
}

func (u unlocked) Lock(ctx context.Context) (context.Context, func(), error) {
	return ctx, func() {}, nil
}

func (u unlocked) Get(ctx context.Context, name string, limit int64) ([]byte, error) {
	body, err := u.Store.Get(ctx, name, limit)
	for u.readers.Add(1); u.readers.Load() < 2; {
		time.Sleep(time.Millisecond)
	}
	return body, err
}

// TestCountingNeedsTheLock shows that the tests above see a lock that excludes
// nobody.
func TestCountingNeedsTheLock(t *testing.T) {
	s := unlocked{Dir(t.TempDir(), nil), new(atomic.Int32), new(sync.Mutex)}
	if err := s.Put(t.Context(), []File{text("counter", "0")}); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	for range 2 {
		go func() { done <- increment(t.Context(), s) }()
	}
	if err := errors.Join(<-done, <-done); err != nil {
		t.Fatal(err)
	}
	has(t, s.Store, "counter", "1")
}

// TestSilentServer stops the server: a writer that cannot show that it lives
// must stop before others may think it dead.
func TestSilentServer(t *testing.T) {
	location, server := s3Server(t)
	lease := 4 * time.Second
	s := place{location: location, options: Options{Lease: lease}}.open(t)
	ctx, unlock := locked(t, s)
	begun := time.Now()
	if err := server.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	<-ctx.Done()
	took := time.Since(begun)
	if err := server.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if cause := context.Cause(ctx); !errors.Is(cause, ErrLockLost) || took > lease*3/4 {
		t.Errorf("after %v: %v", took, cause)
	}
	for _, err := range []error{
		s.Put(t.Context(), []File{text("x", "x")}), s.PutRoots(t.Context(), []File{text("x", "x")}), s.Remove(t.Context(), []string{"x"}),
	} {
		if !errors.Is(err, ErrLockLost) {
			t.Errorf("written after the lock was lost: %v", err)
		}
	}
	unlock()
	put(t, s, text("x", "again"))
}

// TestWriterTakenForDead: whoever slept finds its ticket gone, and writes no
// roots even before its own clock says so.
func TestWriterTakenForDead(t *testing.T) {
	s := place{location: bucket(t)}.open(t).(*s3)
	ctx, _ := locked(t, s)
	if err := s.PutRoots(ctx, []File{text("root", "ours")}); err != nil {
		t.Fatal(err)
	}
	for o, err := range s.objects(ctx, lockName+"/0") {
		if err != nil {
			t.Fatal(err)
		}
		if err := s.drop(ctx, o.Name); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.PutRoots(ctx, []File{text("root", "too late")}); !errors.Is(err, ErrLockLost) {
		t.Errorf("roots without a ticket: %v", err)
	}
	has(t, s, "root", "ours")
}

func TestWritesNeedTheLock(t *testing.T) {
	s := place{location: bucket(t)}.open(t)
	for _, err := range []error{
		s.Put(t.Context(), []File{text("x", "x")}), s.PutRoots(t.Context(), []File{text("x", "x")}), s.Remove(t.Context(), []string{"x"}),
	} {
		if !errors.Is(err, errNotLocked) {
			t.Error(err)
		}
	}
}

// between puts a proxy before the server, which may answer by itself.
func between(t *testing.T, answer func(http.ResponseWriter, *http.Request) (done bool)) {
	t.Helper()
	server, err := url.Parse(os.Getenv("AWS_ENDPOINT_URL"))
	if err != nil {
		t.Fatal(err)
	}
	pass := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(server); r.Out.Host = r.In.Host }}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !answer(w, r) {
			pass.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(proxy.Close)
	t.Setenv("AWS_ENDPOINT_URL", proxy.URL)
}

// TestUnreliableServer lets the first try of every request fail, one by one in
// another way.
func TestUnreliableServer(t *testing.T) {
	p := place{location: bucket(t)}
	tried := map[string]bool{}
	var failed int
	turn := make(chan struct{}, 1)
	between(t, func(w http.ResponseWriter, r *http.Request) bool {
		turn <- struct{}{}
		defer func() { <-turn }()
		key := r.Method + r.URL.String()
		if tried[key] || strings.Contains(key, lockName) {
			return false
		}
		tried[key] = true
		failed++
		switch failed % 3 {
		case 0:
			w.WriteHeader(http.StatusServiceUnavailable)
		case 1:
			_, _ = io.CopyN(io.Discard, r.Body, r.ContentLength/2)
			panic(http.ErrAbortHandler) // the connection breaks
		case 2:
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(http.StatusInternalServerError)
		}
		return true
	})
	s := p.open(t)
	body := strings.Repeat("x", 300_000)
	put(t, s, text("a", body), text("b", body), text("c", body), File{Name: "d", LinkOf: "a"})
	for _, name := range []string{"a", "b", "c", "d"} {
		has(t, s, name, body)
	}
	if got := names(t, s, ""); len(got) != 4 {
		t.Errorf("%q", got)
	}
	if failed < 9 {
		t.Errorf("only %d requests failed", failed)
	}
}

// TestChangedOnTheWay: the server keeps nothing that is not what was sent.
func TestChangedOnTheWay(t *testing.T) {
	p := place{location: bucket(t)}
	put(t, p.open(t), text("a", "old"))
	between(t, func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/a") && r.Method == http.MethodPut {
			body, _ := io.ReadAll(r.Body)
			body[0] ^= 1
			r.Body = io.NopCloser(bytes.NewReader(body))
		}
		return false
	})
	s := p.open(t)
	ctx, _ := locked(t, s)
	if err := s.Put(ctx, []File{text("a", "new"), text("b", "new")}); err == nil {
		t.Error("the server took another content than was sent")
	}
	has(t, s, "a", "old")
	if err := s.Put(ctx, []File{text("b", "new")}); err != nil {
		t.Errorf("without a change: %v", err)
	}
}

// TestManyFilesInABucket has more files than a page of a listing, in folders
// whose order this server gets wrong.
func TestManyFilesInABucket(t *testing.T) {
	p := place{location: bucket(t)}
	s := p.open(t)
	var files []File
	var want []string
	for i := range 2400 {
		folder := []string{"a/x", "a-b/x", "a-b", "a"}[i/600]
		files = append(files, text(fmt.Sprintf("pool/%s/%04d", folder, i), ""))
		want = append(want, files[i].Name)
	}
	slices.Sort(want)
	put(t, s, files...)
	if got := names(t, s, "pool/"); !slices.Equal(got, want) {
		t.Errorf("%d names are listed, want %d", len(got), len(want))
	}
}

func TestBucketThatIsNotThere(t *testing.T) {
	bucket(t)
	s := place{location: "s3://not-there"}.open(t)
	if _, err := s.Get(t.Context(), "x", 1); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if _, _, err := s.Lock(t.Context()); err == nil {
		t.Error("locked")
	}
}

func TestWriters(t *testing.T) {
	at := func(seconds int) time.Time { return time.Unix(1_000_000+int64(seconds), 0) }
	all := writersOf([]Info{
		{Name: ".lock/README"},
		{Name: ".lock/x-y"},
		{Name: ".lock/0-ZERO"},
		{Name: ".lock/choosing-C", Modified: at(40)},
		{Name: ticketName(7, "A"), Modified: at(0)},
		{Name: ".lock/beat-A-3", Modified: at(20)},
		{Name: ".lock/beat-A-4", Modified: at(30)},
		{Name: ticketName(9, "B"), Modified: at(41)},
		{Name: ticketName(6, "D"), Modified: at(5)},
		{Name: ".lock/beat-D-1", Modified: at(10)},
		{Name: ticketName(7, "E"), Modified: at(30)},
	})
	ids := func(ws writers) (ids string) {
		for _, w := range ws {
			ids += w.id
		}
		return ids
	}
	if ids(all) != "CABDE" || all.last() != 9 || !all.choosing() {
		t.Errorf("%+v", all)
	}
	alive, dead := all.others("B", 30*time.Second)
	if ids(alive) != "CADE" || ids(dead) != "" {
		t.Errorf("31 seconds are not more than a lease and one: alive %s, dead %s", ids(alive), ids(dead))
	}
	alive, dead = all.others("B", 29*time.Second)
	if ids(alive) != "CAE" || ids(dead) != "D" {
		t.Errorf("alive %s, dead %s", ids(alive), ids(dead))
	}
	for id, want := range map[string]int{"D": 0, "A": 1, "E": 2, "B": 3} {
		if got := all.before(all.find(id)); got != want {
			t.Errorf("%d are before %s, want %d", got, id, want)
		}
	}
}

func TestContentType(t *testing.T) {
	f := func(name, want string) {
		t.Helper()
		if got := contentType(name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	f("pool/main/h/hello/hello_1_amd64.deb", "application/vnd.debian.binary-package")
	f("yum/stable/x86_64/repodata/repomd.xml", "text/xml")
	f("dists/stable/InRelease", "text/plain; charset=utf-8")
	f("dists/stable/main/binary-amd64/Packages.gz", "application/gzip")
	f("dists/stable/main/by-hash/SHA256/00ff", "application/octet-stream")
}

// TestWhatTheServerSays: type and caching reach those who read by HTTP.
func TestWhatTheServerSays(t *testing.T) {
	s := place{location: bucket(t)}.open(t).(*s3)
	ctx, _ := locked(t, s)
	put := errors.Join(s.Put(ctx, []File{text("x.deb", "x"), {Name: "y.deb", LinkOf: "x.deb"}}), s.PutRoots(ctx, []File{text("InRelease", "x")}))
	if put != nil {
		t.Fatal(put)
	}
	f := func(name, want string) {
		t.Helper()
		o, err := s.client.StatObject(ctx, s.bucket, name, minio.StatObjectOptions{})
		if got := fmt.Sprint(o.ContentType, " ", o.Metadata.Get("Cache-Control")); err != nil || got != want {
			t.Errorf("%s: %q, want %q: %v", name, got, want, err)
		}
	}
	f("x.deb", "application/vnd.debian.binary-package ")
	f("y.deb", "application/vnd.debian.binary-package ")
	f("InRelease", "text/plain; charset=utf-8 no-cache")
}
