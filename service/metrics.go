package service

import (
	"maps"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// newRegistry has what every service tells: of its build, of Go and of its
// process. It is the service's own, not client_golang's global one.
func newRegistry(build Build) *prometheus.Registry {
	registry := prometheus.NewRegistry()
	info := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "build_info", Help: "What is running.",
		ConstLabels: prometheus.Labels{
			"name": build.Name, "version": build.Version, "revision": build.Revision,
			"build_time": build.BuildTime, "go_version": runtime.Version(),
		},
	}, func() float64 { return 1 })
	registry.MustRegister(info, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return registry
}

// requestMetrics are of all HTTP servers of a service. They may be used by
// many at the same time.
type requestMetrics struct {
	inFlight    atomic.Int64
	connections atomic.Int64
	panics      prometheus.Counter
	seconds     *prometheus.HistogramVec

	// known saves the search by labels, which costs more than all else here: the
	// map is never changed, but replaced by a larger one.
	known atomic.Pointer[map[series]prometheus.Observer]
	mu    sync.Mutex // of those who replace it
}

// series is what requests are counted by.
type series struct {
	route, method string
	class         int // first digit of the status; 0 without one
}

// mostSeries bounds what wrongly named routes can cost.
const mostSeries = 1000

func newRequestMetrics(registry prometheus.Registerer) *requestMetrics {
	m := &requestMetrics{
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "http_panics_total", Help: "Handlers that panicked.",
		}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "http_request_duration_seconds", Help: "Time from a request's header to the end of its handler.",
			Buckets: []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60},
		}, []string{"route", "method", "code"}),
	}
	m.known.Store(&map[series]prometheus.Observer{})
	gauge := func(name, help string, value *atomic.Int64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return float64(value.Load()) })
	}
	registry.MustRegister(
		m.seconds, m.panics,
		gauge("http_requests_in_flight", "Requests that are being answered.", &m.inFlight),
		gauge("http_connections_open", "Connections of clients, idle ones too.", &m.connections),
	)
	return m
}

// answered counts a request.
func (m *requestMetrics) answered(s series, took time.Duration) {
	observer, found := (*m.known.Load())[s]
	if !found {
		observer = m.learn(s)
	}
	observer.Observe(took.Seconds())
}

func (m *requestMetrics) learn(s series) prometheus.Observer {
	m.mu.Lock()
	defer m.mu.Unlock()
	known := *m.known.Load()
	if observer, found := known[s]; found {
		return observer
	}
	label := s
	label.route = strings.ToValidUTF8(label.route, "\uFFFD") // Prometheus takes no other
	if len(known) >= mostSeries {
		label.route = otherRoute
	}
	observer := m.seconds.WithLabelValues(label.route, label.method, class(label.class))
	if len(known) < mostSeries {
		larger := maps.Clone(known)
		larger[s] = observer
		m.known.Store(&larger)
	}
	return observer
}

// class is "none" where a handler broke off before it had answered.
func class(digit int) string {
	if digit == 0 {
		return "none"
	}
	return strconv.Itoa(digit) + "xx"
}
