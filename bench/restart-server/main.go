// Command restart-server is the service that bench/restart restarts, on the
// package service or, with NAIVE=true, as it is mostly written by hand: the same
// answers, and http.Server.Shutdown alone at the end. Both take a socket of
// systemd when there is one.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/kinectl/kinectl/service"
)

type config struct {
	Address service.Address `env:"HTTP_ADDRESS" envDefault:":8080" help:"where clients come to"`
	Fault   string          `env:"FAULT" help:"never-ready, or dies three seconds after its start"`
}

func main() {
	if os.Getenv("NAIVE") != "true" {
		service.Run(func(s *service.Service, c config) error {
			switch c.Fault {
			case "never-ready":
				select {}
			case "dies":
				time.AfterFunc(3*time.Second, func() { os.Exit(1) })
			}
			s.HTTP(c.Address, http.HandlerFunc(answer))
			return nil
		})
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := naive(ctx); err != nil {
		panic(err) // systemd sees it
	}
}

// answer takes a while, as one that asks a database does.
func answer(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	time.Sleep(2 * time.Millisecond)
	fmt.Fprintln(w, "hello")
}

// naive serves until ctx is done.
func naive(ctx context.Context) error {
	var listener net.Listener
	var err error
	if os.Getenv("LISTEN_FDS") == "1" {
		listener, err = net.FileListener(os.NewFile(3, "systemd"))
	} else {
		listener, err = net.Listen("tcp", os.Getenv("HTTP_ADDRESS"))
	}
	if err != nil {
		return err
	}
	server := &http.Server{Handler: http.HandlerFunc(answer), ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	if conn, err := net.Dial("unixgram", os.Getenv("NOTIFY_SOCKET")); err == nil {
		_, _ = conn.Write([]byte("READY=1"))
		conn.Close()
	}
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	limit, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return server.Shutdown(limit)
}
