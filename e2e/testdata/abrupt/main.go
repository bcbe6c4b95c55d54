// Command abrupt takes a moment for each answer and dies of a signal at once, in
// the middle of them: only a proxy that has sent it nothing loses nothing.
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"time"
)

// Set at link time.
var version, fault string

func main() {
	host, err := os.Hostname()
	if err != nil {
		log.Fatal(err)
	}
	service, operation := http.NewServeMux(), http.NewServeMux()
	service.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		time.Sleep(30 * time.Millisecond)
		fmt.Fprintf(w, "%s %s %s %s\n", host, version, r.Header.Get("X-Forwarded-Host"), r.Header.Get("X-Request-Id"))
	})
	operation.HandleFunc("/metrics", func(w http.ResponseWriter, r *http.Request) {
		if fault != "" {
			http.Error(w, fault, http.StatusInternalServerError)
			return
		}
		fmt.Fprintf(w, "build_info{name=\"abrupt\",version=%q} 1\n", version)
	})
	operation.HandleFunc("/ready", func(w http.ResponseWriter, r *http.Request) {
		if _, err := os.Stat("/run/abrupt/drain"); err == nil {
			http.Error(w, "drained", http.StatusServiceUnavailable)
		}
	})
	go func() { log.Fatal(http.ListenAndServe(":9090", operation)) }()
	log.Fatal(http.ListenAndServe(":8080", service))
}
