package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/assets"
	"github.com/kinectl/kinectl/internal/diag"
)

// assetsCommand is `kinectl assets`.
func (a *app) assetsCommand() *cobra.Command {
	var out string
	var keep []string
	cmd := &cobra.Command{
		Use:   "assets SRC -o DST",
		Short: "Prepare a website for being served: hashed names, compressed forms",
		Long: `Reads the folder SRC and replaces the folder DST by what it makes of it:

- style sheets, scripts, images, fonts and media that pages, style sheets and scripts
  refer to get a hash of their content into their names, and the references are
  rewritten, so that browsers may keep them for ever. A file that is also mentioned where
  nothing can be rewritten keeps its name; so do pages, robots.txt, favicon.ico,
  manifests and service workers.
- NAME.gz, NAME.zst and NAME.br are laid beside each file that shrinks by a
  twentieth or more.

The same files give the same bytes. DST is replaced in one step, and only when it is
empty or was written by this verb. The Go package service/site serves it:

  //go:generate kinectl assets -o dist public
  //go:embed all:dist

A reference to a file that is not there is a warning.

With --json it prints {"files": [...], "findings": [...]}; a file has path, source,
bytes, compressed (bytes by ending) and kept (why it keeps its name).`,
		Example: `  kinectl assets public -o dist
  kinectl assets build -o dist --keep 'assets/' --keep widget.js`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			result, err := assets.Build(cmd.Context(), args[0], out, assets.Options{Keep: keep})
			var wrong assets.UsageError
			if errors.As(err, &wrong) {
				return usage(err, "")
			}
			if err != nil {
				return failed(err, "")
			}
			a.printAssets(out, result)
			return nil
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "", "folder to write")
	cmd.Flags().StringArrayVar(&keep, "keep", nil, "files that keep their names: a pattern like img/*.png, or a folder like assets/; may be repeated")
	_ = cmd.MarkFlagRequired("output")
	_ = cmd.MarkFlagDirname("output")
	return cmd
}

func (a *app) printAssets(out string, r assets.Result) {
	if a.json {
		findings := r.Findings
		if findings == nil {
			findings = diag.Findings{}
		}
		a.printJSON(map[string]any{"files": r.Files, "findings": findings})
		return
	}
	_ = r.Findings.Write(a.stderr, terminal(a.stderr))
	hashed, plain, sent := 0, 0, 0
	for _, f := range r.Files {
		if f.Path != f.Source {
			hashed++
		}
		plain += f.Bytes
		least := f.Bytes
		for _, n := range f.Compressed {
			least = min(least, n)
		}
		sent += least
		if f.Kept != "" {
			fmt.Fprintf(a.stdout, "kept %s: %s\n", f.Path, f.Kept)
		}
	}
	fmt.Fprintf(a.stdout, "wrote %s: %s, %d with a hash in the name; %d bytes, %d as sent at best\n",
		out, counted(len(r.Files), "file"), hashed, plain, sent)
}
