package server

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics count requests by the kind of file, beside the service's own, which
// know how long they took. They may be used by many at the same time.
type metrics struct {
	requests, bytes, slow *prometheus.CounterVec
	byKind                map[kind]counts // not changed once made
}

// counts are the counters of one kind of file: to find them by their labels at
// each request would cost more than to count.
type counts struct {
	class       [6]prometheus.Counter // requests, by the first digit of the status
	bytes, slow prometheus.Counter
}

// newMetrics has counters for every kind from the start, so that a rate has a
// zero to begin with.
func newMetrics() *metrics {
	vec := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m := &metrics{
		requests: vec("http_requests_total", "Requests, by the class of their status and the kind of file.", "code", "kind"),
		bytes:    vec("http_response_bytes_total", "Bytes of bodies that were sent.", "kind"),
		slow:     vec("http_slow_clients_total", "Answers that were cut off since the client took too little.", "kind"),
		byKind:   map[kind]counts{},
	}
	for _, k := range kinds() {
		c := counts{bytes: m.bytes.WithLabelValues(string(k)), slow: m.slow.WithLabelValues(string(k))}
		for class := 2; class < len(c.class); class++ {
			c.class[class] = m.requests.WithLabelValues(strconv.Itoa(class)+"xx", string(k))
		}
		m.byKind[k] = c
	}
	return m
}

func (m *metrics) request(k kind, e event) {
	c := m.byKind[k]
	c.class[min(max(e.status/100, 2), len(c.class)-1)].Inc()
	c.bytes.Add(float64(e.bytes))
	if e.slow {
		c.slow.Inc()
	}
}

func (m *metrics) vectors() []*prometheus.CounterVec {
	return []*prometheus.CounterVec{m.requests, m.bytes, m.slow}
}

// Describe implements [prometheus.Collector].
func (m *metrics) Describe(to chan<- *prometheus.Desc) {
	for _, v := range m.vectors() {
		v.Describe(to)
	}
}

// Collect implements [prometheus.Collector].
func (m *metrics) Collect(to chan<- prometheus.Metric) {
	for _, v := range m.vectors() {
		v.Collect(to)
	}
}
