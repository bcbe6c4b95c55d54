package cli

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/kinectl/kinectl/internal/artifact"
	"github.com/kinectl/kinectl/internal/atomicfile"
	"github.com/kinectl/kinectl/internal/scaffold"
)

// initialiseInfra is `kinectl init --infra DIR`.
func (a *app) initialiseInfra(dir string) error {
	files, err := scaffold.Infra()
	if err != nil {
		return failed(err, "")
	}
	if err := emptyFolder(dir); err != nil {
		return err
	}
	written, err := a.writeFiles(dir, files)
	if err != nil {
		return err
	}
	if a.json {
		a.printJSON(map[string]any{"files": written})
		return nil
	}
	fmt.Fprintf(a.stdout, "next: read %s, put your hosts and admins in, then kinectl doctor --infra %s\n", filepath.Join(dir, "README.md"), dir)
	return nil
}

// writeFiles writes files into a folder, says so, and returns their paths.
func (a *app) writeFiles(dir string, files []artifact.File) ([]string, error) {
	written := []string{}
	for _, f := range files {
		path := filepath.Join(dir, filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return nil, failed(err, "")
		}
		if err := atomicfile.Write(path, f.Body, f.Mode); err != nil {
			return nil, failed(err, "")
		}
		written = append(written, path)
		if !a.json {
			fmt.Fprintln(a.stdout, "wrote", path)
		}
	}
	return written, nil
}
