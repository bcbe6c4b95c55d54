package server

import (
	"io"
	"net/http/httptest"
	"os"
	"testing"
)

// kernel is a connection that notes what it is given to send.
type kernel struct {
	*httptest.ResponseRecorder
	file  string // the one that it may send by itself
	bytes int64
}

func (k *kernel) ReadFrom(r io.Reader) (int64, error) {
	if l, ok := r.(*io.LimitedReader); ok {
		if f, ok := l.R.(*os.File); ok {
			k.file, k.bytes = f.Name(), l.N
		}
	}
	return io.Copy(k.ResponseRecorder, r)
}

// TestSendfile wants every file to reach the connection as a file: wrapped in
// anything else, net copies it through this process.
func TestSendfile(t *testing.T) {
	dir := testTree(t)
	files, err := Handler(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	handler := observe(files, Limits{}.orDefaults(), newMetrics(), nil)
	f := func(method, requested string, bytes int64) {
		t.Helper()
		r := httptest.NewRequest(method, "/"+debName, nil)
		if requested != "" {
			r.Header.Set("Range", requested)
		}
		k := &kernel{ResponseRecorder: httptest.NewRecorder()}
		handler.ServeHTTP(k, r)
		if k.bytes != bytes || (k.file != "") != (bytes > 0) {
			t.Errorf("%s %s: the kernel gets %d bytes of %q, want %d", method, requested, k.bytes, k.file, bytes)
		}
	}
	size := int64(len("a deb of 24 bytes, really"))
	f("GET", "", size)
	f("GET", "bytes=2-4", 3)
	f("GET", "bytes=0-1,3-4", size)
	f("HEAD", "", 0)
}
