package main

import (
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// fault makes a broken version, so that tests and the demo have something to
// roll back: set at link time, or by HELLO_FAULT when that is set.
//
//	probe500      /metrics and /ready answer 500
//	exit          ends at once with code 1
//	exit3s        ends after three seconds
//	slow5s        answers 503 during its first five seconds
//	hang          takes requests for metrics and never answers them
//	wrongversion  build_info names another version
//	silent        answers, but never tells systemd that it is ready
//	deaf          ignores SIGINT and SIGTERM
//	command       every command fails with code 3
var fault = ""

// withFault applies the fault to the handler of the operation's port.
func withFault(h http.Handler) http.Handler {
	kind := setting("HELLO_FAULT", fault)
	refuse := func(status int, when func() bool) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if when() {
				http.Error(w, "fault "+kind, status)
				return
			}
			h.ServeHTTP(w, r)
		})
	}
	start := time.Now()
	switch kind {
	case "", "command", "silent":
		return h
	case "probe500":
		return refuse(http.StatusInternalServerError, func() bool { return true })
	case "slow5s":
		return refuse(http.StatusServiceUnavailable, func() bool { return time.Since(start) < 5*time.Second })
	case "hang":
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	case "exit":
		logf("error", "fault exit")
		os.Exit(1)
	case "exit3s":
		time.AfterFunc(3*time.Second, func() {
			logf("error", "fault exit3s")
			os.Exit(1)
		})
	case "wrongversion":
		version = "0.0.0-wrong"
	case "deaf":
		signal.Ignore(os.Interrupt, syscall.SIGTERM)
	default:
		logf("error", "unknown HELLO_FAULT")
		os.Exit(2)
	}
	return h
}
