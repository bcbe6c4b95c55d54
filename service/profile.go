package service

import (
	"fmt"
	"net/http"
	"net/netip"
	"runtime/pprof"
	"runtime/trace"
	"slices"
	"strconv"
	"time"
)

// profiles are what `go tool pprof` and `go tool trace` read, under the paths
// of net/http/pprof, which is not used since it registers itself in a mux that
// all of the process share. Only a client on this machine gets them: they show code and data.
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

// fromHere is false for what a proxy on this machine passes on.
func fromHere(r *http.Request) bool {
	client, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && client.Addr().Unmap().IsLoopback() &&
		r.Header.Get("Forwarded") == "" && r.Header.Get("X-Forwarded-For") == "" && r.Header.Get("Via") == ""
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
