package cli

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/atomicfile"
	"github.com/kinectl/kinectl/internal/render"
)

// rendered is what --json shows of one file.
type rendered struct {
	Path    string `json:"path"`
	Install string `json:"install"` // place on a host; empty when the package does not carry it
	Mode    string `json:"mode"`
}

// renderCommand is `kinectl render`.
func (a *app) renderCommand() *cobra.Command {
	var specFile, label, out string
	cmd := &cobra.Command{
		Use:   "render -o DIR",
		Short: "Write every artifact of a service as files",
		Long: `Writes what kinectl makes of a spec, to be read, compared or used without kinectl:
the systemd unit, the Ansible playbook, the script that each host runs, the
monitoring rules. The same spec and version give the same bytes. Files of another
render in DIR are replaced, others are left alone.`,
		Example: `  kinectl render --version 1.2.0 -o build
  kinectl render -f api/spec.yml -o build && git diff --no-index build.old build`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.render(specFile, label, out) },
	}
	cmd.Flags().StringVarP(&specFile, "file", "f", "spec.yml", "spec of the service")
	cmd.Flags().StringVar(&label, "version", "", "version to render (default: git describe)")
	cmd.Flags().StringVarP(&out, "output", "o", "", "folder for the files; made if needed")
	_ = cmd.MarkFlagRequired("output")
	_ = cmd.MarkFlagDirname("output")
	return cmd
}

func (a *app) render(specFile, label, out string) error {
	p, _, err := a.plan(specFile, label)
	if err != nil {
		return err
	}
	done := []rendered{}
	for _, f := range render.All(p) {
		path := filepath.Join(out, filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return failed(err, "")
		}
		if err := atomicfile.Write(path, f.Body, f.Mode); err != nil {
			return failed(err, "")
		}
		done = append(done, rendered{path, f.Install, fmt.Sprintf("%04o", f.Mode)})
		if !a.json {
			fmt.Fprintln(a.stdout, "wrote", path)
		}
	}
	if a.json {
		a.printJSON(map[string][]rendered{"files": done})
	}
	return nil
}
