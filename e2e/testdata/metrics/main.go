// Command metrics serves what client_golang collects by itself, and nothing
// else: the tests compare it inside and outside of a sandbox.
package main

import (
	"log"
	"net/http"
	"os"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

func main() {
	log.Fatal(http.ListenAndServe(os.Args[1], promhttp.Handler()))
}
