// Command gozero is the service of bench/size on go-zero, with its own
// second port for metrics, health and profiles.
package main

import (
	"net"
	"net/http"
	"os"
	"strconv"

	"github.com/zeromicro/go-zero/core/conf"
	"github.com/zeromicro/go-zero/rest"
	"github.com/zeromicro/go-zero/rest/httpx"
	"github.com/zeromicro/go-zero/rest/pathvar"
)

func main() {
	var c rest.RestConf
	if err := conf.FillDefault(&c); err != nil {
		panic(err)
	}
	c.Name = "hello"
	c.Host, c.Port = split(os.Getenv("HTTP_ADDRESS"))
	c.DevServer.Enabled = true
	c.DevServer.Host, c.DevServer.Port = split(os.Getenv("METRICS_ADDRESS"))
	server := rest.MustNewServer(c)
	defer server.Stop()
	server.AddRoute(rest.Route{Method: http.MethodGet, Path: "/hello/:name", Handler: func(w http.ResponseWriter, r *http.Request) {
		httpx.Ok(w)
		_, _ = w.Write([]byte("hello " + pathvar.Vars(r)["name"] + "\n"))
	}})
	server.Start()
}

func split(address string) (string, int) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		panic(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		panic(err)
	}
	return host, n
}
