package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/atomicfile"
	"github.com/kinectl/kinectl/internal/scaffold"
	"github.com/kinectl/kinectl/internal/spec"
)

// initCommand is `kinectl init`.
func (a *app) initCommand() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   "init DIR",
		Short: "Make a service that works as it stands",
		Long: `Writes a small Go service with metrics, health and an orderly stop, and its
spec.yml, into DIR, which must be empty or not exist. It lints, builds and packages
as it stands. The service is named after the folder unless --name says otherwise.`,
		Example: `  kinectl init my-api
  kinectl init . --name my-api`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return a.initialise(args[0], name) },
	}
	cmd.Flags().StringVar(&name, "name", "", "name of the service (default: from the folder)")
	return cmd
}

func (a *app) initialise(dir, name string) error {
	full, err := filepath.Abs(dir)
	if err != nil {
		return failed(err, "")
	}
	if name == "" {
		name = scaffold.Name(filepath.Base(full))
	}
	files, err := scaffold.Service(name)
	if err != nil {
		return failed(err, "")
	}
	// The spec to be written judges the name, before anything is written.
	for _, f := range files {
		if f.Path != "spec.yml" {
			continue
		}
		if s, findings := spec.Check(f.Path, f.Body); findings.HasErrors() || s.Name.V != name {
			return usage(fmt.Errorf("%q cannot be the name of a service", name),
				"choose one with --name: 2 to 31 lower-case letters, digits and -, a letter first")
		}
	}
	entries, err := os.ReadDir(dir)
	switch {
	case err == nil && len(entries) > 0:
		return usage(fmt.Errorf("%s is not empty", dir), "name a new folder: nothing is ever overwritten")
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return usage(err, "")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return failed(err, "")
	}
	written := []string{}
	for _, f := range files {
		path := filepath.Join(dir, filepath.FromSlash(f.Path))
		if err := atomicfile.Write(path, f.Body, f.Mode); err != nil {
			return failed(err, "")
		}
		written = append(written, path)
	}
	if a.json {
		a.printJSON(map[string]any{"name": name, "files": written})
		return nil
	}
	for _, path := range written {
		fmt.Fprintln(a.stdout, "wrote", path)
	}
	fmt.Fprintf(a.stdout, "next: cd %s && kinectl lint && kinectl package --version 0.1.0 -o dist\n", dir)
	return nil
}
