package main

import (
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
)

// poolMetrics tells how busy the connections to the database are, each time
// somebody asks.
type poolMetrics struct {
	pool                           *pgxpool.Pool
	open, most, waits, waitSeconds *prometheus.Desc
}

func newPoolMetrics(pool *pgxpool.Pool) poolMetrics {
	describe := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("postgres_"+name, help, labels, nil)
	}
	return poolMetrics{
		pool:        pool,
		open:        describe("connections", "Connections to the database, by what they do.", "state"),
		most:        describe("connections_max", "Connections that there may be."),
		waits:       describe("connection_waits_total", "Queries that found every connection busy."),
		waitSeconds: describe("connection_wait_seconds_total", "Time that they waited."),
	}
}

func (m poolMetrics) Describe(to chan<- *prometheus.Desc) { prometheus.DescribeByCollect(m, to) }

func (m poolMetrics) Collect(to chan<- prometheus.Metric) {
	stat := m.pool.Stat()
	send := func(d *prometheus.Desc, kind prometheus.ValueType, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, kind, value, labels...)
	}
	send(m.open, prometheus.GaugeValue, float64(stat.AcquiredConns()), "busy")
	send(m.open, prometheus.GaugeValue, float64(stat.IdleConns()), "idle")
	send(m.open, prometheus.GaugeValue, float64(stat.ConstructingConns()), "connecting")
	send(m.most, prometheus.GaugeValue, float64(stat.MaxConns()))
	send(m.waits, prometheus.CounterValue, float64(stat.EmptyAcquireCount()))
	send(m.waitSeconds, prometheus.CounterValue, stat.EmptyAcquireWaitTime().Seconds())
}
