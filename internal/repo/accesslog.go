package repo

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// logged writes one line a request: when, who, what, the answer's status and
// bytes, how long it took. What the client chose is quoted.
func logged(next http.Handler, log io.Writer) http.Handler {
	var mu sync.Mutex
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		seen := &answer{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(seen, r)
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(log, "%s %s %q %d %d %s\n", start.UTC().Format(time.RFC3339), host,
			r.Method+" "+r.URL.Path, seen.status, seen.bytes, time.Since(start).Round(time.Microsecond))
	})
}

// answer counts what is sent. It keeps the writer's ReadFrom, which sends
// files without copying them through this process.
type answer struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (a *answer) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(body []byte) (int, error) {
	n, err := a.ResponseWriter.Write(body)
	a.bytes += int64(n)
	return n, err
}

func (a *answer) ReadFrom(r io.Reader) (int64, error) {
	n, err := io.Copy(a.ResponseWriter, r)
	a.bytes += n
	return n, err
}
