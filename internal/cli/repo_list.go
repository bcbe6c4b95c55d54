package cli

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/repo"
)

func (a *app) repoListCommand() *cobra.Command {
	var suite, keyFile string
	cmd := &cobra.Command{
		Use:   "list REPO [NAME...]",
		Short: "List the packages of a repository",
		Long: `Lists the packages of a suite, each version from the oldest to the newest. REPO is a
directory, an s3:// or ssh:// location or an http(s) URL. Signature and digests are
checked first: with the repository's own key.asc, a URL with the public key that
--trust names.`,
		Example: `  kinectl repo list /srv/repository
  kinectl repo list /srv/repository hello --json
  kinectl repo list https://packages.example.com --trust example.asc`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			options := []repo.OpenOption{repo.WithSuite(suite)}
			if keyFile != "" {
				key, err := os.ReadFile(keyFile)
				if err != nil {
					return failed(err, "")
				}
				options = append(options, repo.WithKey(key))
			}
			r, err := repo.Open(cmd.Context(), args[0], options...)
			if err != nil {
				return repoError(err, args[0])
			}
			defer r.Close()
			what := ""
			if len(args) > 1 {
				what = " named " + strings.Join(args[1:], ", ")
			}
			entries, err := r.Entries(cmd.Context())
			if err != nil {
				return repoError(err, args[0])
			}
			a.showPackages(r, what, slices.DeleteFunc(entries, func(e repo.Entry) bool {
				return len(args) > 1 && !slices.Contains(args[1:], e.Name)
			}))
			return nil
		},
	}
	cmd.Flags().StringVar(&suite, "suite", repo.DefaultSuite, "suite of the repository")
	cmd.Flags().StringVar(&keyFile, "trust", "", "file of the public key to check with (default REPO/key.asc of a directory)")
	return cmd
}

func (a *app) showPackages(r *repo.Reader, what string, entries []repo.Entry) {
	if a.json {
		a.printJSON(struct {
			Origin       string       `json:"origin"`
			Suite        string       `json:"suite"`
			Fingerprints []string     `json:"fingerprints"`
			Packages     []repo.Entry `json:"packages"`
		}{r.Origin(), r.Suite(), r.Fingerprints(), append([]repo.Entry{}, entries...)})
		return
	}
	if until := r.ValidUntil(); !until.IsZero() && until.Before(time.Now()) {
		fmt.Fprintf(a.stderr, "warning: %s was valid until %s, and hosts refuse it: it has to be signed anew\n", r.Suite(), until.Format(time.RFC3339))
	}
	if len(entries) == 0 {
		fmt.Fprintf(a.stderr, "no packages%s in %s\n", what, r.Suite())
		return
	}
	table := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	for _, e := range entries {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", e.Name, e.Version, e.Architecture, byteSize(e.Size))
	}
	table.Flush()
}
