package service

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"runtime/pprof"
	"runtime/trace"
	"slices"
	"strconv"
	"strings"
	"time"
)

// profiles are what `go tool pprof` and `go tool trace` read, under the paths
// of net/http/pprof, which is not used since it registers itself in a mux that
// all of the process share. They show code and data: see fromHere for who gets them.
func profiles() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/{$}", listProfiles)
	mux.HandleFunc("/debug/pprof/{name}", func(w http.ResponseWriter, r *http.Request) {
		profile := pprof.Lookup(r.PathValue("name"))
		if profile == nil {
			http.NotFound(w, r)
			return
		}
		debug, _ := strconv.Atoi(r.FormValue("debug"))
		profileHeader(w, debug > 0)
		_ = profile.WriteTo(w, debug)
	})
	mux.HandleFunc("/debug/pprof/profile", func(w http.ResponseWriter, r *http.Request) {
		record(w, r, 30*time.Second, func() error { return pprof.StartCPUProfile(w) }, pprof.StopCPUProfile)
	})
	mux.HandleFunc("/debug/pprof/trace", func(w http.ResponseWriter, r *http.Request) {
		record(w, r, time.Second, func() error { return trace.Start(w) }, trace.Stop)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !fromHere(r) {
			http.Error(w, "profiles are for clients on this machine", http.StatusForbidden)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// fromHere is false for what comes by another name, as when a page makes a browser ask
// its own host here (DNS rebinding), and for what a proxy on this machine passes on and
// says so. A proxy that says nothing cannot be told from a client.
func fromHere(r *http.Request) bool {
	client, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !client.Addr().Unmap().IsLoopback() || !isLoopback(r.Host) {
		return false
	}
	for name := range r.Header {
		if name == "Forwarded" || name == "Via" || name == "X-Real-Ip" || strings.HasPrefix(name, "X-Forwarded-") {
			return false
		}
	}
	return true
}

// isLoopback is for a Host field, with or without a port.
func isLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	address, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && address.Unmap().IsLoopback() || strings.EqualFold(host, "localhost")
}

func listProfiles(w http.ResponseWriter, _ *http.Request) {
	profileHeader(w, true)
	names := []string{"profile?seconds=30", "trace?seconds=1"}
	for _, p := range pprof.Profiles() {
		names = append(names, p.Name())
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintln(w, name)
	}
}

func profileHeader(w http.ResponseWriter, text bool) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Type", "application/octet-stream")
	if text {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	}
}

// record writes what happens in the next seconds (1 to 300). The process can
// record only one such profile at a time.
func record(w http.ResponseWriter, r *http.Request, length time.Duration, start func() error, stop func()) {
	if given := r.FormValue("seconds"); given != "" {
		seconds, err := strconv.ParseFloat(given, 64)
		if err != nil || !(seconds > 0 && seconds <= 300) {
			http.Error(w, "seconds: more than 0, and at most 300", http.StatusBadRequest)
			return
		}
		length = time.Duration(seconds * float64(time.Second))
	}
	profileHeader(w, false)
	if err := start(); err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	defer stop()
	end := time.NewTimer(length)
	defer end.Stop()
	select {
	case <-end.C:
	case <-r.Context().Done():
	}
}
