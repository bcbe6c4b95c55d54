package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kinectl/kinectl/internal/artifact"
	"github.com/kinectl/kinectl/internal/scaffold"
	"github.com/kinectl/kinectl/internal/spec"
)

// libraryVariable names a checkout as --library does.
const libraryVariable = "KINECTL_LIBRARY"

// noPipeline is the --ci of a service that has one of its own.
const noPipeline = "none"

type initOptions struct {
	dir, name, template, library string
	pipelines                    []string
	infra                        bool
}

// initCommand is `kinectl init`.
func (a *app) initCommand() *cobra.Command {
	var o initOptions
	cmd := &cobra.Command{
		Use:   "init [--infra] DIR",
		Short: "Make a service, or an infra repository, that works as it stands",
		Long: `Writes a small Go service and its spec.yml into DIR, which must be empty or not
exist. It lints, builds and packages as it stands; configuration, metrics,
health, log and an orderly stop come from the library
github.com/kinectl/kinectl/service. The service is named after the folder unless
--name says otherwise.

The templates:
` + templateList() + `
For a git server it also writes the pipelines of GitLab CI and GitHub Actions:
checks on a merge request, package and publish on a tag, deploy and rollback at
a click. --ci says for which, or none.

"go mod tidy" then fetches what the service imports. Without go or the network
the files are there all the same, and a line says what to run.

With --infra it writes an infra repository instead: inventories of two
environments, the roles that take bare servers to production, and what services
may ask for. "kinectl apply" brings servers to what it says.`,
		Example: `  kinectl init my-api
  kinectl init --template job nightly-report
  kinectl init --ci gitlab my-api
  kinectl init . --name my-api
  kinectl init --infra infra`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.dir = args[0]
			if o.infra {
				return a.initialiseInfra(o.dir)
			}
			return a.initialise(cmd.Context(), cmd.Root().Version, o)
		},
	}
	names := templateNames()
	cmd.Flags().StringVar(&o.name, "name", "", "name of the service (default: from the folder)")
	cmd.Flags().StringVar(&o.template, "template", names[0], "kind of service: "+strings.Join(names, ", "))
	cmd.Flags().StringSliceVar(&o.pipelines, "ci", scaffold.Pipelines(), "pipelines to write: "+strings.Join(scaffold.Pipelines(), ", ")+", or "+noPipeline)
	cmd.Flags().StringVar(&o.library, "library", "", "checkout of kinectl to take the library from (default: $"+libraryVariable+", or this kinectl's release)")
	_ = cmd.RegisterFlagCompletionFunc("template", cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("ci", cobra.FixedCompletions(append(scaffold.Pipelines(), noPipeline), cobra.ShellCompDirectiveNoFileComp))
	cmd.Flags().BoolVar(&o.infra, "infra", false, "make an infra repository instead of a service")
	for _, name := range []string{"name", "template", "ci", "library"} {
		cmd.MarkFlagsMutuallyExclusive("infra", name)
	}
	_ = cmd.MarkFlagDirname("library")
	return cmd
}

func templateNames() []string {
	var names []string
	for _, t := range scaffold.Templates() {
		names = append(names, t.Name)
	}
	return names
}

func templateList() string {
	var b strings.Builder
	for _, t := range scaffold.Templates() {
		fmt.Fprintf(&b, "  %-8s %s\n", t.Name, t.Help)
	}
	return b.String()
}

func (a *app) initialise(ctx context.Context, version string, o initOptions) error {
	full, err := filepath.Abs(o.dir)
	if err != nil {
		return failed(err, "")
	}
	if o.name == "" {
		o.name = scaffold.Name(filepath.Base(full))
	}
	library, err := libraryOf(version, o.library)
	if err != nil {
		return usage(err, "name a folder with a checkout of kinectl, which has service/go.mod")
	}
	files, err := scaffold.Service(o.name, o.template, library)
	if err != nil {
		return usage(err, "--template is one of "+strings.Join(templateNames(), ", "))
	}
	for _, system := range o.pipelines {
		if system == noPipeline && len(o.pipelines) == 1 {
			break
		}
		more, err := scaffold.Pipeline(system)
		if err != nil {
			return usage(err, "--ci is "+noPipeline+", or any of "+strings.Join(scaffold.Pipelines(), ","))
		}
		files = append(files, more...)
	}
	slices.SortFunc(files, func(a, b artifact.File) int { return strings.Compare(a.Path, b.Path) })
	if err := mayBecome(o.dir, o.name, files); err != nil {
		return err
	}
	written, err := a.writeFiles(o.dir, files)
	if err != nil {
		return err
	}
	left := "" // to be run by hand, and why
	if !library.Somewhere() {
		left = "this kinectl is no release, so go.mod has to name a checkout of its source: `" + scaffold.Replace("CHECKOUT") + "`; or use --library CHECKOUT the next time"
	} else if err := tidy(ctx, o.dir); err != nil {
		left = err.Error()
	}
	if ctx.Err() != nil {
		return failed(fmt.Errorf("get the modules of %s: %w", o.name, ctx.Err()), "the files are in "+o.dir+": run go mod tidy there")
	}
	local := ""
	if dir := library.Checkout(); dir != "" && !slices.Contains(o.pipelines, noPipeline) {
		local = "this kinectl is no release, or --library names a checkout: go.mod takes the library from " + dir +
			", which a pipeline does not have; for one, write the service with a release of kinectl"
	}
	if a.json {
		a.printJSON(map[string]any{"name": o.name, "template": o.template, "files": written, "tidy": left == "", "reason": left, "warning": local})
		return nil
	}
	if local != "" {
		fmt.Fprintln(a.stderr, "warning:", local)
	}
	step := ""
	if left != "" {
		fmt.Fprintln(a.stderr, "warning:", left)
		step = "go mod tidy && "
	}
	fmt.Fprintf(a.stdout, "next: cd %s && %skinectl lint && kinectl package --version 0.1.0 -o dist\n", o.dir, step)
	return nil
}

// mayBecome refuses a folder that is not empty, and a name that the spec to be
// written does not take, before anything is written.
func mayBecome(dir, name string, files []artifact.File) error {
	for _, f := range files {
		if f.Path != "spec.yml" {
			continue
		}
		if s, findings := spec.Check(f.Path, f.Body); findings.HasErrors() || s.Name.V != name {
			return usage(fmt.Errorf("%q cannot be the name of a service", name),
				"choose one with --name: 2 to 31 lower-case letters, digits and -, a letter first")
		}
	}
	return emptyFolder(dir)
}

// emptyFolder refuses a folder that has something in it.
func emptyFolder(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case err == nil && len(entries) > 0:
		return usage(fmt.Errorf("%s is not empty", dir), "name a new folder: nothing is ever overwritten")
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return usage(err, "")
	}
	return nil
}

// libraryOf finds the library that belongs to this kinectl: a checkout that was
// named; its release; or the checkout that the program lies in, which is where
// a development build is made.
func libraryOf(version, named string) (scaffold.Library, error) {
	if named == "" {
		named = os.Getenv(libraryVariable)
	}
	if named != "" {
		return scaffold.Checkout(named)
	}
	if library, ok := scaffold.Release(version); ok {
		return library, nil
	}
	self, err := os.Executable()
	if err == nil {
		self, err = filepath.EvalSymlinks(self)
	}
	if err == nil {
		if library, err := scaffold.Checkout(filepath.Join(filepath.Dir(self), "..")); err == nil {
			return library, nil
		}
	}
	return scaffold.Library{}, nil
}

// tidy lets go find and fetch what the new service imports. Its error is one
// line that tells why it did not.
func tidy(ctx context.Context, dir string) error {
	cmd := exec.CommandContext(ctx, "go", "mod", "tidy")
	cmd.Dir = dir
	// A workspace around the folder is not the new service's.
	cmd.Env = append(os.Environ(), "GOWORK=off")
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	if errors.Is(err, exec.ErrNotFound) {
		return errors.New("go is not installed, so the modules of the service were not fetched")
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return fmt.Errorf("go mod tidy: %w: %s", err, strings.TrimSpace(lines[len(lines)-1]))
}
