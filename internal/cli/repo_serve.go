package cli

import (
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/repo/server"
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
				return usage(fmt.Errorf("serve %s: only a directory can be served", args[0]), "")
			}
			files, err := server.Handler(args[0])
			if errors.Is(err, server.ErrNotRepository) {
				return failed(err, "make the repository with: kinectl repo init "+args[0])
			}
			if err != nil {
				return failed(err, "")
			}
			defer files.Close()
			listen := func(address string) (net.Listener, error) {
				l, err := server.Listen(cmd.Context(), address)
				if err != nil {
					return nil, failed(fmt.Errorf("serve %s: %w", args[0], err), "choose another address, HOST:PORT")
				}
				return l, nil
			}
			listener, err := listen(address)
			if err != nil {
				return err
			}
			options := server.Options{Program: server.Program{Name: "kinectl", Version: cmd.Root().Version}}
			if metrics != "" {
				if options.Metrics, err = listen(metrics); err != nil {
					listener.Close()
					return err
				}
			}
			if log {
				options.Log = a.stderr
			}
			url := "http://" + listener.Addr().String()
			if a.json {
				a.printJSON(map[string]string{"url": url})
			} else {
				fmt.Fprintf(a.stdout, "serving %s at %s\n", args[0], url)
			}
			err = server.Serve(cmd.Context(), listener, files, options)
			if errors.Is(err, server.ErrCutOff) { // it was told to end
				fmt.Fprintf(a.stderr, "warning: %v\n", err)
				return nil
			}
			if err != nil {
				return failed(err, "")
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&address, "listen", "127.0.0.1:8080", "address to listen on, HOST:PORT; port 0 takes a free one")
	cmd.Flags().StringVar(&metrics, "metrics", "", "address for /metrics, /health and /ready, HOST:PORT (default none)")
	cmd.Flags().BoolVar(&log, "log", false, "write a line for every request to standard error")
	return cmd
}
