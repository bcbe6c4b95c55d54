package cli

import (
	"fmt"
	"io"
	"net"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/repo"
)

func (a *app) repoServeCommand() *cobra.Command {
	var address string
	var log bool
	cmd := &cobra.Command{
		Use:   "serve REPO",
		Short: "Serve a repository over HTTP",
		Long: `Serves the public files of REPO over plain HTTP until it is interrupted; apt checks
signatures itself. The first line on standard output is the address, so that port
0 works. Nothing but the key, the suites and the pool can be fetched.`,
		Example: `  kinectl repo serve /srv/apt --listen :8080
  kinectl repo serve /srv/apt --listen 127.0.0.1:0 --log`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			files, err := repo.Handler(args[0])
			if err != nil {
				return repoError(err, args[0])
			}
			defer files.Close()
			var config net.ListenConfig
			listener, err := config.Listen(cmd.Context(), "tcp", address)
			if err != nil {
				return failed(fmt.Errorf("serve %s: %w", args[0], err), "choose another address with --listen HOST:PORT")
			}
			url := "http://" + listener.Addr().String()
			if a.json {
				a.printJSON(map[string]string{"url": url})
			} else {
				fmt.Fprintf(a.stdout, "serving %s at %s\n", args[0], url)
			}
			var access io.Writer
			if log {
				access = a.stderr
			}
			return repoError(repo.Serve(cmd.Context(), listener, files, access), args[0])
		},
	}
	cmd.Flags().StringVar(&address, "listen", "127.0.0.1:8080", "address to listen on, HOST:PORT; port 0 takes a free one")
	cmd.Flags().BoolVar(&log, "log", false, "write a line for every request to standard error")
	return cmd
}
