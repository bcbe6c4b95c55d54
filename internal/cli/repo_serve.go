package cli

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/repo"
	"github.com/kinectl/kinectl/internal/repo/server"
	"github.com/kinectl/kinectl/service"
)

func (a *app) repoServeCommand() *cobra.Command {
	var address, metrics string
	var log bool
	cmd := &cobra.Command{
		Use:   "serve REPO",
		Short: "Serve a repository over HTTP",
		Long: `Serves the public files of the directory REPO over plain HTTP until it is
interrupted; apt and dnf check signatures themselves. The first line on standard
output is the address, so that port 0 works. Nothing but the key, the suites and the
packages can be fetched. --metrics opens a second port with /metrics, /health and
/ready.`,
		Example: `  kinectl repo serve /srv/repository --listen :8080
  kinectl repo serve /srv/repository --listen :8080 --metrics 127.0.0.1:9090 --log`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if strings.Contains(args[0], "://") {
				return usage(fmt.Errorf("serve %s: only a directory can be served", repo.Shown(args[0])), "")
			}
			files, err := server.Handler(args[0])
			if errors.Is(err, server.ErrNotRepository) {
				return failed(err, "make the repository with: kinectl repo init "+args[0])
			}
			if err != nil {
				return failed(err, "")
			}
			defer files.Close()
			options := server.Options{Log: log, Listening: func(at net.Addr) {
				url := "http://" + at.String()
				if a.json {
					a.printJSON(map[string]string{"url": url})
				} else {
					fmt.Fprintf(a.stdout, "serving %s at %s\n", args[0], url)
				}
			}}
			process := service.Process{
				Build:   service.Build{Name: "kinectl", Version: cmd.Root().Version},
				Environ: append(repoServeEnviron(metrics, log), handedOver()...),
				Log:     a.stderr,
			}
			err = service.Serve(cmd.Context(), process, func(s *service.Service, _ struct{}) error {
				server.Add(s, service.Address(address), files, options)
				return nil
			})
			var taken *net.OpError
			switch {
			case errors.As(err, &taken):
				return failed(fmt.Errorf("serve %s: %w", args[0], err), "choose another address, HOST:PORT")
			case err != nil:
				return failed(fmt.Errorf("serve %s: %w", args[0], err), "")
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&address, "listen", "127.0.0.1:8080", "address to listen on, HOST:PORT; port 0 takes a free one")
	cmd.Flags().StringVar(&metrics, "metrics", "", "address for /metrics, /health and /ready, HOST:PORT (default none)")
	cmd.Flags().BoolVar(&log, "log", false, "write a line for every request to standard error")
	return cmd
}

// repoServeEnviron says what the flags say in the words of a service's
// environment. Without the log of requests there are warnings only.
func repoServeEnviron(metrics string, log bool) []string {
	level := "info"
	if !log {
		level = "warn"
	}
	if metrics == "" {
		metrics = "off"
	}
	return []string{"METRICS_ADDRESS=" + metrics, "LOG_LEVEL=" + level}
}

// handedOver is what systemd has told this process: its sockets, and where to
// say how far it is (sd_listen_fds(3), sd_notify(3)). All else of the environment
// is the user's, and none of the service's.
func handedOver() (environ []string) {
	for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", "RUNTIME_DIRECTORY", "JOURNAL_STREAM"} {
		if value, set := os.LookupEnv(name); set {
			environ = append(environ, name+"="+value)
		}
	}
	return environ
}
