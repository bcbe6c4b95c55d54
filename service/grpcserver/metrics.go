package grpcserver

import (
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
)

// metrics may be used by many at the same time.
type metrics struct {
	inFlight prometheus.Gauge
	panics   prometheus.Counter
	seconds  *prometheus.HistogramVec
	methods  func() map[string]*byCode // of the server; the map is not changed
	other    byCode                    // of methods that no service has
}

// byCode keeps what a method is counted with, since to find it by its labels
// costs more than all else.
type byCode [codes.Unauthenticated + 1]atomic.Pointer[prometheus.Observer]

// otherMethod has the calls of a handler of unknown services: clients make up
// their names.
const otherMethod = "other"

func newCalls(r prometheus.Registerer, log *slog.Logger, services func() map[string]grpc.ServiceInfo) *calls {
	return &calls{log: log, metrics: &metrics{
		seconds: registered(r, prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "grpc_server_handling_seconds", Help: "Time from a call's first message to the end of its handler.",
			Buckets: []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60},
		}, []string{"method", "code"})),
		inFlight: registered(r, prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "grpc_server_calls_in_flight", Help: "Calls that are being answered.",
		})),
		panics: registered(r, prometheus.NewCounter(prometheus.CounterOpts{
			Name: "grpc_server_panics_total", Help: "Handlers that panicked.",
		})),
		// Asked at the first call: services are registered after the server is made.
		methods: sync.OnceValue(func() map[string]*byCode {
			all := map[string]*byCode{}
			for name, info := range services() {
				for _, m := range info.Methods {
					all["/"+name+"/"+m.Name] = new(byCode)
				}
			}
			return all
		}),
	}}
}

// registered is c, or what another server of the service has registered before.
// It panics when the name is taken by something else, as MustRegister does.
func registered[C prometheus.Collector](r prometheus.Registerer, c C) C {
	err := r.Register(c)
	var there prometheus.AlreadyRegisteredError
	if errors.As(err, &there) {
		if earlier, ok := there.ExistingCollector.(C); ok {
			return earlier
		}
	}
	if err != nil {
		panic(err)
	}
	return c
}

// answered counts a call.
func (m *metrics) answered(method string, code codes.Code, took time.Duration) {
	if code > codes.Unauthenticated { // a handler's invention
		code = codes.Unknown
	}
	of, found := m.methods()[method]
	if !found {
		method, of = otherMethod, &m.other
	}
	observer := of[code].Load()
	if observer == nil {
		o := m.seconds.WithLabelValues(method, code.String())
		observer = &o
		of[code].Store(observer)
	}
	(*observer).Observe(took.Seconds())
}
