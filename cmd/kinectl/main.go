// Command kinectl runs a fleet of Linux servers with packages, systemd and
// Ansible. Start reading at internal/cli.Run.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/kinectl/kinectl/internal/cli"
)

// version is put in when the program is linked: -X main.version=1.2.3.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Run(ctx, version, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
