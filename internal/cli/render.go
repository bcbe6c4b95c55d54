package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/artifact"
	"github.com/kinectl/kinectl/internal/atomicfile"
	"github.com/kinectl/kinectl/internal/facts"
	"github.com/kinectl/kinectl/internal/plan"
	"github.com/kinectl/kinectl/internal/render"
	"github.com/kinectl/kinectl/internal/resources"
	"github.com/kinectl/kinectl/internal/spec"
)

// rendered is what --json shows of one file.
type rendered struct {
	Path    string `json:"path"`
	Install string `json:"install"` // place on a host; empty when the package does not carry it
	Mode    string `json:"mode"`
}

// renderCommand is `kinectl render`.
func (a *app) renderCommand() *cobra.Command {
	var specFile, label, out, infra string
	cmd := &cobra.Command{
		Use:   "render -o DIR [FILE...]",
		Short: "Write every artifact of a service as files",
		Long: `Writes what kinectl makes of a spec, to be read, compared or used without kinectl:
the systemd units, the Ansible playbook, the script that each host runs, the
monitoring rules. The same spec and version give the same bytes. Files of another
render in DIR are replaced, others are left alone.

Several specs are rendered into a folder of DIR each, by the name of the service.
When one of them has a mistake, nothing is written.`,
		Example: `  kinectl render --version 1.2.0 -o build
  kinectl render -f api/spec.yml -o build && git diff --no-index build.old build
  kinectl render --version 1.2.0 -o build services/*/spec.yml`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && cmd.Flags().Changed("file") {
				return usage(errors.New("specs are given twice: with -f and without"), "name them in one way")
			}
			if len(args) == 0 {
				args = []string{specFile}
			}
			return a.render(args, label, out, infra)
		},
	}
	cmd.Flags().StringVarP(&specFile, "file", "f", "spec.yml", "spec of the service")
	cmd.Flags().StringVar(&label, "version", "", "version to render (default: git describe)")
	cmd.Flags().StringVarP(&out, "output", "o", "", "folder for the files; made if needed")
	cmd.Flags().StringVar(&infra, "infra", "", "infra repository, for resources of its own")
	_ = cmd.MarkFlagDirname("infra")
	_ = cmd.MarkFlagRequired("output")
	_ = cmd.MarkFlagDirname("output")
	return cmd
}

func (a *app) render(specFiles []string, label, out, infra string) error {
	kinds, findings, err := kindsOf(infra)
	if err != nil {
		return err
	}
	if findings.HasErrors() {
		_ = findings.Write(a.stderr, terminal(a.stderr))
		return usage(fmt.Errorf("%s has mistakes", resources.File), "")
	}
	plans, err := a.plans(specFiles, label, kinds)
	if err != nil {
		return err
	}
	var files []artifact.File
	for _, p := range plans {
		for _, f := range render.All(p) {
			dir := out
			if len(plans) > 1 {
				dir = filepath.Join(out, p.Name)
			}
			f.Path = filepath.Join(dir, filepath.FromSlash(f.Path))
			files = append(files, f)
		}
	}
	if err := writeAll(files); err != nil {
		return failed(err, "")
	}
	done := []rendered{}
	for _, f := range files {
		done = append(done, rendered{f.Path, f.Install, fmt.Sprintf("%04o", f.Mode)})
		if !a.json {
			fmt.Fprintln(a.stdout, "wrote", f.Path)
		}
	}
	if a.json {
		a.printJSON(map[string][]rendered{"files": done})
	}
	return nil
}

// plans reads all specs before it says which of them are wrong. git is asked
// once for each repository.
func (a *app) plans(specFiles []string, label string, kinds []spec.Resource) ([]plan.Plan, error) {
	answers := map[string]plan.Facts{}
	var specs []*spec.Spec
	var wrong error
	for _, file := range specFiles {
		s, err := a.readSpec(file)
		if err != nil {
			wrong = errors.Join(wrong, err)
		}
		specs = append(specs, s)
	}
	if wrong != nil {
		return nil, wrong
	}
	var all []plan.Plan
	seen := map[string]string{}
	for i, s := range specs {
		file := specFiles[i]
		if first, ok := seen[s.Name.V]; ok {
			return nil, usage(fmt.Errorf("%s and %s are both of the service %s", first, file, s.Name.V), "render them into folders of their own")
		}
		seen[s.Name.V] = file
		for _, used := range s.Resources {
			if !slices.ContainsFunc(slices.Concat(spec.Resources(), kinds), func(r spec.Resource) bool { return r.Kind == used.V }) {
				return nil, usage(fmt.Errorf("%s uses the resource %q, whose variable nobody knows", file, used.V), "name the infra repository with --infra DIR; its "+resources.File+" has the kinds of your own")
			}
		}
		root := facts.Root(file)
		known, ok := answers[root]
		if !ok {
			v, err := wantedVersion(label, file)
			if err != nil {
				return nil, err
			}
			f, err := facts.Of(file)
			if err != nil {
				return nil, failed(err, "")
			}
			known = plan.Facts{Version: v, BuildTime: f.BuildTime, Resources: kinds}
			answers[root] = known
		}
		all = append(all, plan.Build(s, known))
	}
	return all, nil
}

// writeAll writes files, a few at the same time: most of it is waiting for the
// disk.
func writeAll(files []artifact.File) error {
	made := map[string]bool{}
	for _, f := range files {
		if dir := filepath.Dir(f.Path); !made[dir] {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return err
			}
			made[dir] = true
		}
	}
	errs := make([]error, len(files))
	slots := make(chan struct{}, 16)
	var wait sync.WaitGroup
	for i, f := range files {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			errs[i] = atomicfile.Write(f.Path, f.Body, f.Mode)
		})
	}
	wait.Wait()
	return errors.Join(errs...)
}
