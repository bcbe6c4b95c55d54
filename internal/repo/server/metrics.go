package server

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// Program is what build_info says of the program that serves.
type Program struct{ Name, Version, Revision, BuildTime string }

// metrics count what happens. They may be used by many at the same time. The
// zero value has counted nothing.
type metrics struct {
	program Program
	files   *Files
	open    atomic.Int64 // connections
	taken   atomic.Int64

	mu     sync.Mutex
	byKind map[kind]*counts
}

// counts are of one kind of file.
type counts struct {
	class   [6]int64 // requests, by the first digit of the status
	bytes   int64
	slow    int64
	within  []int64 // requests, by the index in bounds; the last are slower than all
	seconds float64
}

// bounds of the duration of requests, in seconds: a root takes the first ones,
// a package over a slow line the last ones.
func bounds() []float64 { return []float64{0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60, 600} }

// connection is for ConnState of http.Server.
func (m *metrics) connection(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		m.open.Add(1)
		m.taken.Add(1)
	case http.StateClosed, http.StateHijacked:
		m.open.Add(-1)
	}
}

func (m *metrics) request(k kind, e event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.byKind == nil {
		m.byKind = map[kind]*counts{}
	}
	c := m.byKind[k]
	if c == nil {
		c = &counts{within: make([]int64, len(bounds())+1)}
		m.byKind[k] = c
	}
	c.class[min(e.status/100, len(c.class)-1)]++
	c.bytes += e.bytes
	if e.slow {
		c.slow++
	}
	seconds := e.took.Seconds()
	i, _ := slices.BinarySearch(bounds(), seconds)
	c.within[i]++
	c.seconds += seconds
}

// write writes everything in the text format of Prometheus, version 0.0.4.
func (m *metrics) write(w io.Writer) {
	t := text{w}
	t.family("build_info", "gauge", "What is running.")
	t.sample("build_info", labels("name", m.program.Name, "version", m.program.Version, "revision", m.program.Revision,
		"build_time", m.program.BuildTime, "go_version", runtime.Version()), 1)
	t.family("http_connections_open", "gauge", "Connections of clients, idle ones too.")
	t.sample("http_connections_open", "", float64(m.open.Load()))
	t.family("http_connections_total", "counter", "Connections that were taken.")
	t.sample("http_connections_total", "", float64(m.taken.Load()))
	m.requests(t)
	suites(t, roots(m.files.root.FS()))
	process(t)
}

// requests are there for every kind from the start, so that a rate has a zero
// to begin with.
func (m *metrics) requests(t text) {
	m.mu.Lock()
	defer m.mu.Unlock()
	each := func(f func(k kind, c *counts)) {
		for _, k := range kinds() {
			c := m.byKind[k]
			if c == nil {
				c = &counts{within: make([]int64, len(bounds())+1)}
			}
			f(k, c)
		}
	}
	t.family("http_requests_total", "counter", "Requests, by the class of their status and the kind of file.")
	each(func(k kind, c *counts) {
		for class := 2; class < len(c.class); class++ {
			t.sample("http_requests_total", labels("code", strconv.Itoa(class)+"xx", "kind", string(k)), float64(c.class[class]))
		}
	})
	t.family("http_response_bytes_total", "counter", "Bytes of bodies that were sent.")
	each(func(k kind, c *counts) {
		t.sample("http_response_bytes_total", labels("kind", string(k)), float64(c.bytes))
	})
	t.family("http_slow_clients_total", "counter", "Answers that were cut off since the client took too little.")
	each(func(k kind, c *counts) {
		t.sample("http_slow_clients_total", labels("kind", string(k)), float64(c.slow))
	})
	t.family("http_request_duration_seconds", "histogram", "Time until the last byte was handed to the kernel.")
	each(func(k kind, c *counts) {
		total := int64(0)
		for i, n := range c.within {
			total += n
			bound := "+Inf"
			if i < len(bounds()) {
				bound = strconv.FormatFloat(bounds()[i], 'g', -1, 64)
			}
			t.sample("http_request_duration_seconds_bucket", labels("kind", string(k), "le", bound), float64(total))
		}
		t.sample("http_request_duration_seconds_sum", labels("kind", string(k)), c.seconds)
		t.sample("http_request_duration_seconds_count", labels("kind", string(k)), float64(total))
	})
}

// text writes the format. An error is the scraper's, who has gone.
type text struct{ w io.Writer }

func (t text) family(name, kind, help string) {
	fmt.Fprintf(t.w, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

func (t text) sample(name, labels string, value float64) {
	fmt.Fprintf(t.w, "%s%s %s\n", name, labels, strconv.FormatFloat(value, 'g', -1, 64))
}

// labels writes pairs of name and value. Values are escaped as the format has
// it: backslash, quote and line feed.
func labels(pairs ...string) string {
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
	var all []string
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, pairs[i]+`="`+escape.Replace(strings.ToValidUTF8(pairs[i+1], "?"))+`"`)
	}
	return "{" + strings.Join(all, ",") + "}"
}
